"""What was recorded of vendors' own packages, one file of each vendor beside this one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent


def recorded(vendor: str) -> dict[str, Any]:
    """Give all that a file holds."""
    read: dict[str, Any] = json.loads((HERE / f"{vendor}.json").read_text("utf-8"))
    return read


def vectors_of(vendor: str) -> list[dict[str, Any]]:
    """Give the requests, each with what it was made of (`input`) and what was signed (`signed`)."""
    vectors: list[dict[str, Any]] = recorded(vendor)["vectors"]
    return vectors
