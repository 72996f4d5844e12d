"""Define the outcome of use cases that return no data."""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.problems import Denied


@dataclass(frozen=True, slots=True)
class Done:
    """Say that the use case succeeded. It returns no data."""


ActionOutcome = Done | Denied
