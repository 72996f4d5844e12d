"""The contract over every sender that there is, and over one that a newcomer adds."""

from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from menshen.app.plugins import PACKAGES
from menshen.app.settings.reader import load_settings
from menshen.core.delivery.verdicts import Verdict
from menshen.ports.outward import Answer
from menshen.testing.outward import FakeOutward
from menshen.testing.sender_contract import OutwardSenderContract, SenderCase, SenderContract, verdict_of
from tests.adapters.delivery.senders import HERE, SENDERS, case_of

SPEAK_HTTP = [one for one in SENDERS if "request" in case_of(*one).recorded]


@pytest.fixture
def case(request: pytest.FixtureRequest) -> SenderCase:
    return case_of(*request.param)


@pytest.mark.parametrize("case", SENDERS, indirect=True, ids=".".join)
class TestSenders(SenderContract):
    """All of them."""


@pytest.mark.parametrize("case", SPEAK_HTTP, indirect=True, ids=".".join)
class TestOutwardSenders(OutwardSenderContract):
    """Those that speak HTTP."""


def test_senders_were_found() -> None:
    assert {("sms", "specimen"), ("sms", "webhook")} <= {*SPEAK_HTTP}
    assert {("email", "smtp"), ("sms", "outbox"), ("email", "outbox")} <= {*SENDERS}


@pytest.mark.attack("OT-27")
@pytest.mark.parametrize("sender", [one for one in SPEAK_HTTP if one[0] == "sms"], ids=".".join)
async def test_two_countries_numbers_are_never_one_request(sender: tuple[str, str]) -> None:
    """+1 862 555 0123 and +86 186 2555 0123 have the same digits behind their country or with it."""
    case = case_of(*sender)
    asked = []
    for to in ("+18625550123", "+8618625550123"):
        outward = FakeOutward()
        await verdict_of(case.build(outward), case.handover(replace(case.message, to=to)))
        asked.append([(request.url, request.body) for request in outward.requests])
    american, chinese = asked
    # A sender may leave either to the next one.
    assert american != chinese
    assert len(american) <= 1


PROMISES = [name for name in dir(OutwardSenderContract) if name.startswith("test_")]


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a package of one sender: a copy of the specimen under a name of its own."""
    package = tmp_path / "senders_of_a_newcomer"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(Path(importlib.import_module(f"{PACKAGES['sms']}.specimen").__file__ or ""), package / "pigeon.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return package.name


async def test_a_new_sender_is_one_file_and_its_recorded_bytes(newcomer: str, tmp_path: Path) -> None:
    recorded = json.loads((HERE / "specimen.json").read_text("utf-8"))
    # Its name in the settings is all that says where it is.
    table = {"name": "home", "type": "pigeon", **recorded["settings"]}
    environ = {"MENSHEN_SMS__SENDERS": json.dumps([table])}
    (chosen,) = load_settings(None, environ, tmp_path, {**PACKAGES, "sms": newcomer}).sms.chosen
    outward = FakeOutward(Answer(200, {}, recorded["answers"][0]["body"].encode()))
    case = SenderCase(importlib.import_module(f"{newcomer}.pigeon"), recorded)
    assert (await verdict_of(chosen.build(outward), case.handover()))[0] is Verdict.ACCEPTED
    assert [request.body.decode() for request in outward.requests] == [recorded["request"]["body"]]
    assert len(PROMISES) > 10
    for promise in PROMISES:
        await getattr(OutwardSenderContract(), promise)(case)
