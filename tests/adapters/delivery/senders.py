"""The senders that there are, each with what was recorded of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.testing.sender_contract import SenderCase

HERE: Final = Path(__file__).parent / "recorded"
SENDERS: Final = [(kind, name) for kind in ("sms", "email") for name in names_in(PACKAGES[kind])]


def case_of(kind: str, name: str) -> SenderCase:
    """Give the file of a type and its recorded bytes, which stand in `recorded/<type>.json`."""
    recorded = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return SenderCase(load_plugin(PACKAGES[kind], name), recorded)
