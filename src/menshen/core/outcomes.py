"""What an act answers that has nothing to show."""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.problems import Denied


@dataclass(frozen=True, slots=True)
class Done:
    """It happened, and there is nothing more to say."""


ActionOutcome = Done | Denied
