"""Test what every sender must do. A run needs only a sender's recorded bytes and a fixture `case`:

    from menshen.testing.sender_contract import OutwardSenderContract, SenderCase

    class TestMySender(OutwardSenderContract):
        pass

    @pytest.fixture
    def case() -> SenderCase: ...

`SenderContract` is for all senders, `OutwardSenderContract` for those that speak HTTP through the outward port.
The methods are coroutines (pytest-asyncio's mode "auto" runs them); `pytest.register_assert_rewrite
("menshen.testing")` before the import makes their failures talk.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import REFUSALS, Verdict
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Answer, NotReached, Outcome, Outward, Request, Unknown
from menshen.testing.handovers import NONCE, handover_of
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import settings_of

_LOOKS_SECRET: Final = re.compile(r"secret|password|token|(^|_)key$")


@dataclass(frozen=True, slots=True)
class SenderCase:
    """Hold the file of a sender as a module, and what was recorded of it.

    `recorded` holds `channel`, `settings` (keys of the type), `message` (fields of one; `message_id`, `nonce` and `now`
    of its try may be among them), and of a sender that speaks HTTP `request` (`method`, `url`, `headers`, `body`,
    `own_host`) and `answers`: `status`, `body`, `headers` and a `verdict` of `menshen.core.delivery.verdicts`. An
    accepted one may have the `receipt` and the `parts` that must come out.
    """

    module: Any
    recorded: Mapping[str, Any]

    @property
    def message(self) -> Message:
        """Return the recorded message."""
        given = self.recorded["message"]
        return Message(
            Channel(self.recorded["channel"]),
            given["to"],
            Template(given["template"]),
            given["language"],
            Instant(given["created_at"]),
            code=given.get("code", ""),
            detail=given.get("detail", ""),
        )

    def handover(self, message: Message | None = None) -> Handover:
        """Return a try to hand over a message, the recorded one if none is given."""
        given = self.recorded["message"]
        return handover_of(
            message or self.message,
            message_id=given.get("message_id", 42),
            nonce=given.get("nonce", NONCE),
            now=Instant(given.get("now", given["created_at"])),
        )

    def settings(self, **more: Any) -> Any:
        """Make the recorded settings, with `more` keys. Raises msgspec.ValidationError."""
        return settings_of(self.module.Settings, {**self.recorded["settings"], **more})

    def build(self, outward: Outward) -> Sender:
        """Make the sender with the recorded settings."""
        sender: Sender = self.module.build(self.settings(), outward)
        return sender

    def hidden(self) -> Iterator[str]:
        """Yield what nothing may show: the message's values and the secrets of the settings."""
        yield from filter(None, (self.message.to, self.message.to[-11:], self.message.code, self.message.detail))
        settings = self.settings()
        yield from (value for value in map(settings.__getattribute__, settings.__struct_fields__) if _is_hidden(value))


def _is_hidden(value: Any) -> bool:
    return isinstance(value, Secret) and bool(value)


async def verdict_of(sender: Sender, handover: Handover) -> tuple[Verdict, Accepted | BaseException]:
    """Hand over a message; return the verdict, and what came back or the exception that said so."""
    try:
        return Verdict.ACCEPTED, await sender.send(handover)
    except DeliveryFailed as error:
        return error.verdict, error
    except DeliveryUnknown as error:
        return Verdict.UNKNOWN, error


class SenderContract:
    """Check `menshen.ports.delivery.Sender`, and the file that makes one."""

    async def test_settings_do_not_change(self, case: SenderCase) -> None:
        assert case.settings().__struct_config__.frozen

    async def test_unknown_keys_are_refused(self, case: SenderCase) -> None:
        try:
            case.settings(no_such_key=1)
        except msgspec.ValidationError:
            return
        raise AssertionError("an unknown key was taken")

    async def test_each_key_says_what_it_is_for(self, case: SenderCase) -> None:
        for field in msgspec.structs.fields(case.module.Settings):
            described = [meta.description for meta in _metas(field.type) if meta.description]
            assert described, f"{field.encode_name} has no Meta(description=...)"

    async def test_what_is_secret_has_the_type_of_secrets(self, case: SenderCase) -> None:
        for field in msgspec.structs.fields(case.module.Settings):
            if _LOOKS_SECRET.search(field.encode_name):
                kind = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
                assert kind is Secret, f"{field.encode_name} has not the type Secret"

    async def test_settings_and_sender_show_no_secret(self, case: SenderCase) -> None:
        sender = case.build(FakeOutward())
        shown = f"{case.settings()!r} {sender!r} {sender}"
        assert not [value for value in case.hidden() if value in shown]

    async def test_building_calls_nobody(self, case: SenderCase) -> None:
        outward = FakeOutward()
        case.build(outward)
        assert outward.requests == []


class OutwardSenderContract(SenderContract):
    """Check a sender whose messages go through the outward port."""

    async def test_it_hands_over_once_and_in_the_recorded_bytes(self, case: SenderCase) -> None:
        outward = FakeOutward(_answers(case)[0])
        assert (await verdict_of(case.build(outward), case.handover()))[0] is Verdict.ACCEPTED
        assert len(outward.requests) == 1
        request = outward.requests[0]
        wanted = case.recorded["request"]
        assert {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "body": request.body.decode(),
            "own_host": request.own_host,
        } == {"own_host": False, **wanted}

    async def test_each_recorded_answer_has_its_verdict(self, case: SenderCase) -> None:
        recorded = {Verdict(answer["verdict"]) for answer in case.recorded["answers"]}
        assert {Verdict.ACCEPTED, Verdict.UNKNOWN} < recorded
        assert recorded & REFUSALS
        for answer in case.recorded["answers"]:
            outward = FakeOutward(_answer(answer))
            verdict, told = await verdict_of(case.build(outward), case.handover())
            assert (verdict, len(outward.requests)) == (answer["verdict"], 1), answer
            if isinstance(told, Accepted):
                given = (answer.get("receipt", told.receipt), answer.get("parts", told.parts))
                assert (told.receipt, told.parts) == given, answer

    async def test_what_was_not_reached_failed_and_is_not_repeated_here(self, case: SenderCase) -> None:
        assert await _once(case, NotReached("ConnectError")) is Verdict.NOT_REACHED

    async def test_what_may_have_left_is_unknown_and_is_not_repeated(self, case: SenderCase) -> None:
        assert await _once(case, Unknown("ReadTimeout")) is Verdict.UNKNOWN

    async def test_no_redirect_is_followed(self, case: SenderCase) -> None:
        for status in (301, 302, 303, 307, 308):
            assert await _once(case, Answer(status, {"location": "https://elsewhere.example/"})) is Verdict.UNKNOWN, (
                status
            )

    async def test_an_answer_that_nobody_listed_is_unknown(self, case: SenderCase) -> None:
        for body in (
            b"",
            b"\xff",
            b"<html>",
            b"[]",
            b"null",
            b"0",
            b'"OK"',
            b"{}",
            b'{"code": ["OK"]}',
            b'{"code": null}',
        ):
            for status in (400, 404, 500, 502):
                assert await _once(case, Answer(status, {}, body)) is Verdict.UNKNOWN, (status, body)
        # In the vendor's own form, with something else where its texts are.
        for status, body in _objects(case):
            for text in (None, 0, ["OK"], {"OK": "OK"}, "no such code"):
                changed = Answer(status, {}, json.dumps(_with_texts(body, text)).encode())
                assert await _once(case, changed) is Verdict.UNKNOWN, (status, changed.body)

    async def test_two_messages_are_two_requests(self, case: SenderCase) -> None:
        outward = FakeOutward(_answers(case)[0])
        sender = case.build(outward)
        for message in (case.message, replace(case.message, to=case.message.to[:-1] + "0")):
            assert (await verdict_of(sender, case.handover(message)))[0] is Verdict.ACCEPTED
        assert len(outward.requests) == 2
        first, second = outward.requests
        assert (first.url, first.body) != (second.url, second.body)

    async def test_each_message_ends_in_one_of_three_ways(self, case: SenderCase) -> None:
        for template in Template:
            for language in ("zh", "en", "xx"):
                outward = FakeOutward(_answers(case)[0])
                code, detail = ("482913", "") if template.name.startswith("CODE_") else ("", "138****0000")
                message = replace(case.message, template=template, language=language, code=code, detail=detail)
                if not _serves(case, template):
                    continue
                verdict, _ = await verdict_of(case.build(outward), case.handover(message))
                assert (verdict, len(outward.requests)) == (Verdict.ACCEPTED, 1), template

    async def test_an_exchange_has_an_end(self, case: SenderCase) -> None:
        request = (await _requests(case))[0]
        assert 0 < request.seconds <= 60
        assert request.url.startswith("https://") or request.own_host

    async def test_errors_hold_neither_the_message_nor_a_secret(self, case: SenderCase) -> None:
        outcomes: list[Outcome] = [NotReached("ConnectError"), Unknown("ReadTimeout"), Answer(500)]
        outcomes += [_answer(answer) for answer in case.recorded["answers"]]
        # Vendors repeat the number and the key in what they answer.
        outcomes += [Answer(status, {}, json.dumps({"code": [*case.hidden()]}).encode()) for status in (200, 400)]
        outcomes += [
            Answer(status, {}, json.dumps({"code": text}).encode()) for text in case.hidden() for status in (200, 400)
        ]
        outcomes += [
            Answer(status, {}, json.dumps(_with_texts(body, text)).encode())
            for status, body in _objects(case)
            for text in case.hidden()
        ]
        for outcome in outcomes:
            _, told_by = await verdict_of(case.build(FakeOutward(outcome)), case.handover())
            told = " ".join(f"{one} {one!r} {getattr(one, 'code', '')}" for one in _with_causes(told_by))
            assert not [value for value in case.hidden() if value in told], outcome

    async def test_nothing_is_logged(self, case: SenderCase) -> None:
        listener = _Listener()
        root, level = logging.getLogger(), logging.getLogger().level
        root.addHandler(listener)
        root.setLevel(logging.DEBUG)
        try:
            for outcome in (_answers(case)[0], NotReached("x"), Unknown("x"), Answer(500)):
                await verdict_of(case.build(FakeOutward(outcome)), case.handover())
        finally:
            root.setLevel(level)
            root.removeHandler(listener)
        assert listener.heard == []


class _Listener(logging.Handler):
    """Collect what is logged; the event loop's own lines are left out."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "asyncio":
            self.heard.append(f"{record.name}: {record.msg}")


def _serves(case: SenderCase, template: Template) -> bool:
    serves = getattr(case.settings(), "serves", None)
    return serves is None or serves(template)


def _answer(recorded: Mapping[str, Any]) -> Answer:
    return Answer(recorded["status"], recorded.get("headers", {}), recorded["body"].encode())


def _answers(case: SenderCase, verdict: Verdict = Verdict.ACCEPTED) -> list[Answer]:
    return [_answer(answer) for answer in case.recorded["answers"] if answer["verdict"] == verdict]


def _objects(case: SenderCase) -> Iterator[tuple[int, Any]]:
    """Yield the recorded answers that have a JSON object, each as its status and that object."""
    for answer in case.recorded["answers"]:
        if answer["body"].startswith("{"):
            yield answer["status"], json.loads(answer["body"])


def _with_texts(value: Any, text: Any) -> Any:
    """Return a JSON value with `text` in the place of each of its texts and numbers."""
    if isinstance(value, dict):
        return {key: _with_texts(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_texts(inner, text) for inner in value]
    return text if isinstance(value, str | int | float) and not isinstance(value, bool) else value


async def _once(case: SenderCase, outcome: Outcome) -> Verdict:
    """Return the verdict of an outcome. A second request would be accepted, and is not to come."""
    outward = FakeOutward(outcome, _answers(case)[0])
    verdict, _ = await verdict_of(case.build(outward), case.handover())
    assert len(outward.requests) == 1, "it asked again"
    return verdict


async def _requests(case: SenderCase) -> list[Request]:
    outward = FakeOutward(_answers(case)[0])
    await verdict_of(case.build(outward), case.handover())
    return outward.requests


def _with_causes(told: Accepted | BaseException) -> Iterator[object]:
    error = told if isinstance(told, BaseException) else None
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _metas(annotated: Any) -> Iterator[msgspec.Meta]:
    if get_origin(annotated) is Annotated:
        yield from (meta for meta in get_args(annotated)[1:] if isinstance(meta, msgspec.Meta))
