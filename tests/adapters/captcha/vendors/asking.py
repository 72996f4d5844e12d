"""Ask the captcha vendors in tests: each with its recorded settings and arguments, some of them changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.core.findings import Finding
from menshen.ports.outward import Answer
from menshen.testing.captcha_contract import CaptchaCase
from menshen.testing.plugin_rules import settings_of

VENDORS: Final = tuple(name for name in names_in(PACKAGES["captcha"]) if name != "specimen")
NOW: Final = 1_767_225_600_000
"""The clock of the vectors."""


def case_of(vendor: str, **settings: Any) -> CaptchaCase:
    """Give a vendor with its recorded exchanges, some of its settings changed."""
    recorded = json.loads((Path(__file__).parent / f"{vendor}.json").read_text("utf-8"))
    recorded["settings"].update(settings)
    return CaptchaCase(load_plugin(PACKAGES["captcha"], vendor), recorded)


def answer(said: Any, status: int = 200) -> Answer:
    """Give an answer whose body is the JSON of `said`."""
    return Answer(status, {}, json.dumps(said).encode())


def passed(vendor: str, **changes: Any) -> Answer:
    """Give the recorded pass of a vendor, some of its words changed; `...` leaves one out."""
    said = {**json.loads(case_of(vendor).passed.body), **changes}
    return answer({key: value for key, value in said.items() if value is not ...})


def findings(vendor: str, **settings: Any) -> list[Finding]:
    """Give what a vendor finds wrong with its recorded settings, some of them changed."""
    case = case_of(vendor, **settings)
    made: Any = settings_of(case.module.Settings, case.recorded["settings"])
    return [*made.find_problems()]
