"""Test what every identity provider must do. A provider's own test module is ten lines:

    from menshen.testing.provider_contract import ProviderCase, ProviderContract

    class TestMyProvider(ProviderContract):
        @pytest.fixture
        def case(self): return ProviderCase(my_provider, json.loads(…))

`my_provider` is the provider's module. The JSON holds one recorded round trip, as that of the specimen in
`tests/adapters`. The chance of a round trip is handed in, so that its bytes can be recorded. No test needs a network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from menshen.core.time import Instant
from menshen.ports.federation import (
    LONGEST_SUBJECT,
    RANDOM_BYTES,
    Finished,
    Identity,
    IdentityProvider,
    Refusal,
    RefusalReason,
    RoundTrip,
    Started,
)
from menshen.ports.outward import Answer, NotReached, Outcome, Unknown
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import demand_hidden, demand_settings, nothing_raised, settings_of
from menshen.testing.recorded import (
    BODIES_WITHOUT_VERDICT,
    STATUSES_WITHOUT_VERDICT,
    altered,
    answer_of,
    doubled,
    request_of,
    sent,
)

ODD_CODES: Final = ("x" * 5000, "a\0b", "a\r\nHost: elsewhere.example", "é", "\ud800")
"""Codes that no provider gives."""


@dataclass(frozen=True)
class ProviderCase:
    """Hold a provider's module, and one round trip that was recorded of it.

    Keys of `recorded`: `settings`; `trip` (state and callback); `chance` (hex); `now` (epoch ms); `address`, where the
    browser was sent; `callback`, the parameters that came back; `requests` and `answers`, in their order; `identity`;
    `refused`, by name: changes of the callback or the last answer, the reason, and whether the provider was `asked`;
    `proofs`: the fields of the identity that another key of the answer must prove with a JSON true;
    `secrets`, by name, what must be in no address and in no repr.
    A module whose protocol wants secrets in the query of its calls says so by `SECRETS_IN_QUERY = True`.
    """

    module: Any
    recorded: Mapping[str, Any]

    @property
    def trip(self) -> RoundTrip:
        """Return the recorded round trip."""
        return RoundTrip(self.recorded["trip"]["state"], self.recorded["trip"]["callback"])

    @property
    def answers(self) -> list[Outcome]:
        """Return the recorded answers."""
        return [answer_of(answer) for answer in self.recorded["answers"]]

    @property
    def last(self) -> Answer:
        """Return the answer that names the person."""
        return answer_of(self.recorded["answers"][-1])

    def provider(self, *outcomes: Outcome) -> tuple[IdentityProvider, FakeOutward]:
        """Make a fresh provider; outside answers with `outcomes`."""
        outward = FakeOutward(*outcomes)
        return self.module.build(settings_of(self.module.Settings, self.recorded["settings"]), outward), outward

    def start(self, trip: RoundTrip | None = None, chance: bytes = b"") -> Started:
        """Begin the recorded round trip, or another."""
        provider, _ = self.provider()
        return provider.start(trip or self.trip, chance or bytes.fromhex(self.recorded["chance"]))

    async def finish(
        self, *last: Outcome, callback: Mapping[str, str] | None = None, remembered: str = ""
    ) -> tuple[Finished, FakeOutward]:
        """End the recorded round trip. `last` comes in place of the last recorded answer.

        Raises:
            AssertionError: the provider raised something.
        """
        provider, outward = self.provider(*(self.answers[:-1] + list(last) if last else self.answers))
        given = self.recorded["callback"] if callback is None else callback
        now = Instant(self.recorded["now"])
        with nothing_raised("finish"):
            return await provider.finish(self.trip, remembered or self.start().remembered, given, now), outward


class ProviderContract:
    """Test `menshen.ports.federation.IdentityProvider`."""

    def test_its_settings_keep_the_rules(self, case: ProviderCase) -> None:
        demand_settings(case.module.Settings, case.recorded["settings"])

    def test_it_starts_as_was_recorded(self, case: ProviderCase) -> None:
        assert len(bytes.fromhex(case.recorded["chance"])) == RANDOM_BYTES
        assert case.start().address == case.recorded["address"]
        assert case.start() == case.start()

    def test_a_start_carries_the_state_and_the_callback_once(self, case: ProviderCase) -> None:
        given = [value for _, value in parse_qsl(urlsplit(case.start().address).query)]
        for wanted in (case.trip.state, case.trip.callback):
            assert given.count(wanted) == 1, wanted

    def test_each_round_trip_has_secrets_of_its_own(self, case: ProviderCase) -> None:
        started, other = case.start(), case.start(chance=b"\x77" * RANDOM_BYTES)
        assert bool(started.remembered) == (started.remembered != other.remembered)

    def test_a_fresh_proof_is_asked_for(self, case: ProviderCase) -> None:
        if case.recorded.get("fresh", True):
            assert case.start(replace(case.trip, fresh=True)).address != case.recorded["address"]

    async def test_its_hosts_stand_in_its_code(self, case: ProviderCase) -> None:
        hosts = case.module.HOSTS
        assert isinstance(hosts, frozenset)
        assert hosts
        _, outward = await case.finish()
        for address in (case.start().address, *(request.url for request in outward.requests)):
            assert urlsplit(address).scheme == "https"
            assert urlsplit(address).netloc in hosts, address
        assert not any(request.own_host for request in outward.requests)

    async def test_no_callback_moves_it_to_another_host(self, case: ProviderCase) -> None:
        for name in case.recorded["callback"]:
            for value in ("https://elsewhere.example/", "@elsewhere.example", "../../elsewhere", "#", "?x=1&y=2"):
                _, outward = await case.finish(callback={**case.recorded["callback"], name: value})
                for request in outward.requests:
                    assert urlsplit(request.url).netloc in case.module.HOSTS, value

    async def test_the_recorded_round_trip_names_the_person(self, case: ProviderCase) -> None:
        outcome, outward = await case.finish()
        recorded = case.recorded["identity"]
        assert outcome == Identity(**{**recorded, "methods": tuple(recorded.get("methods", ()))})
        assert [sent(request) for request in outward.requests] == [*map(request_of, case.recorded["requests"])]
        assert 0 < len(outcome.subject) <= LONGEST_SUBJECT

    async def test_a_callback_of_another_round_trip_reaches_no_provider(self, case: ProviderCase) -> None:
        state = case.trip.state
        for wrong in ("", state[:-1], f"{state}a", state.swapcase(), "é", "\ud800"):
            await self._refuse_unasked(case, {**case.recorded["callback"], "state": wrong}, RefusalReason.MISMATCH)
        without = {name: value for name, value in case.recorded["callback"].items() if name != "state"}
        await self._refuse_unasked(case, without, RefusalReason.MISMATCH)

    async def test_a_callback_of_another_issuer_reaches_no_provider(self, case: ProviderCase) -> None:
        if "iss" in case.recorded["callback"]:
            issuer = case.recorded["callback"]["iss"]
            for wrong in ("", "https://elsewhere.example", f"{issuer}/", issuer.upper()):
                await self._refuse_unasked(case, {**case.recorded["callback"], "iss": wrong}, RefusalReason.MISMATCH)

    async def test_a_callback_without_a_code_is_a_no_of_the_person(self, case: ProviderCase) -> None:
        code = self._code(case)
        without = {name: value for name, value in case.recorded["callback"].items() if value != code}
        await self._refuse_unasked(case, without, RefusalReason.CANCELLED)

    async def test_a_code_that_no_provider_gives_reaches_none(self, case: ProviderCase) -> None:
        code = self._code(case)
        for odd in ODD_CODES:
            callback = {name: odd if value == code else value for name, value in case.recorded["callback"].items()}
            await self._refuse_unasked(case, callback, RefusalReason.CODE_INVALID)

    async def test_what_another_round_trip_remembers_is_no_good(self, case: ProviderCase) -> None:
        other = case.start(chance=b"\x77" * RANDOM_BYTES).remembered
        if other:
            outcome, outward = await case.finish(remembered=other)
            # Where no nonce comes back the provider judges the verifier, which it must be sent.
            asked_otherwise = [sent(request) for request in outward.requests] != [
                *map(request_of, case.recorded["requests"])
            ]
            mismatch = isinstance(outcome, Refusal) and outcome.reason is RefusalReason.MISMATCH
            assert mismatch or (asked_otherwise and not case.recorded["nonce"])

    async def test_a_recorded_refusal_is_one(self, case: ProviderCase) -> None:
        reasons = set()
        for name, refused in case.recorded["refused"].items():
            last = [answer_of(refused["answer"])] if "answer" in refused else []
            callback = {**case.recorded["callback"], **refused.get("callback", {})}
            outcome, outward = await case.finish(*last, callback=callback)
            assert isinstance(outcome, Refusal), name
            assert outcome.reason == refused["reason"], name
            assert bool(outward.requests) == refused["asked"], name
            reasons.add(outcome.reason)
        assert {RefusalReason.CODE_INVALID, RefusalReason.MISCONFIGURED} <= reasons

    async def test_no_identity_is_kept_for_a_second_time(self, case: ProviderCase) -> None:
        spent = next(one for one in case.recorded["refused"].values() if one["reason"] == "code_invalid")
        provider, _ = case.provider(*case.answers, *case.answers[:-1], answer_of(spent["answer"]))
        given = (case.trip, case.start().remembered, case.recorded["callback"], Instant(case.recorded["now"]))
        assert isinstance(await provider.finish(*given), Identity)
        assert isinstance(await provider.finish(*given), Refusal)

    async def test_what_is_no_verdict_names_nobody(self, case: ProviderCase) -> None:
        for body in BODIES_WITHOUT_VERDICT:
            outcome, _ = await case.finish(Answer(200, {}, body))
            assert isinstance(outcome, Unknown | Refusal), body[:20]
        for status in STATUSES_WITHOUT_VERDICT:
            outcome, _ = await case.finish(Answer(status, {"location": "https://elsewhere.example"}, case.last.body))
            assert isinstance(outcome, Unknown), status
        for answer in doubled(case.last):
            outcome, _ = await case.finish(answer)
            assert not isinstance(outcome, Identity), answer.body

    async def test_no_answer_names_nobody(self, case: ProviderCase) -> None:
        for silence in (NotReached("connect"), Unknown("timeout")):
            outcome, outward = await case.finish(silence)
            assert outcome == silence
            assert len(outward.requests) == len(case.answers)

    async def test_no_answer_names_another_person(self, case: ProviderCase) -> None:
        for key, value, answer in altered(case.last):
            outcome, _ = await case.finish(answer)
            if isinstance(outcome, Identity) and outcome.subject != case.recorded["identity"]["subject"]:
                # A text is another subject; what is no text is none.
                assert outcome.subject == value, key

    async def test_only_a_true_proves_anything(self, case: ProviderCase) -> None:
        for name, proof in case.recorded.get("proofs", {}).items():
            for key, value, answer in altered(case.last):
                outcome, _ = await case.finish(answer)
                if key == proof and isinstance(outcome, Identity):
                    assert getattr(outcome, name) == "", value

    async def test_nothing_shows_a_secret(self, case: ProviderCase) -> None:
        secrets: dict[str, str] = case.recorded["secrets"]
        assert secrets
        provider, _ = case.provider()
        outcome, outward = await case.finish()
        for shown in (provider, case.trip, case.start(), outcome, *outward.requests):
            demand_hidden(shown, {**secrets, "state": case.trip.state})
        addresses = [case.start().address]
        if not getattr(case.module, "SECRETS_IN_QUERY", False):
            addresses += [request.url for request in outward.requests]
        for name, secret in secrets.items():
            assert not [address for address in addresses if secret in address], f"an address holds the {name}"
        assert set(secrets.values()) & set(_texts(case.recorded["settings"])), "no secret of the settings is among them"

    def _code(self, case: ProviderCase) -> str:
        code: str = case.recorded["secrets"]["code"]
        assert code in case.recorded["callback"].values()
        return code

    async def _refuse_unasked(self, case: ProviderCase, callback: Mapping[str, str], reason: RefusalReason) -> None:
        outcome, outward = await case.finish(callback=callback)
        assert isinstance(outcome, Refusal), callback
        assert outcome.reason is reason, callback
        assert outward.requests == []


def _texts(settings: Mapping[str, Any]) -> list[str]:
    return [value if isinstance(value, str) else json.dumps(value) for value in settings.values()]
