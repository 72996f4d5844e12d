"""Test what every captcha vendor and the built-in test must do. A vendor's own test module is ten lines:

    from menshen.testing.captcha_contract import CaptchaCase, CaptchaVendorContract

    class TestMyVendor(CaptchaVendorContract):
        @pytest.fixture
        def case(self): return CaptchaCase(my_vendor, json.loads(…))

`my_vendor` is the vendor's module. The JSON holds recorded exchanges, as those of the specimen in `tests/adapters`.
No test needs a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from menshen.core.gates.captcha import CHALLENGE_LIFETIME, ProofOfWork
from menshen.core.time import DAY, Instant, after
from menshen.ports.captcha import CaptchaProvider, Failed, Passed, VendorVerdict
from menshen.ports.outward import Answer, NotReached, Outcome, Unknown
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import MARK, demand_hidden, demand_settings, nothing_raised, settings_of
from menshen.testing.recorded import (
    BODIES_WITHOUT_VERDICT,
    STATUSES_WITHOUT_VERDICT,
    altered,
    answer_of,
    doubled,
    request_of,
    sent,
)

ODD_TOKENS: Final = ("", "x" * 8193, "a\0b", "a\r\nb", "é", "\ud800", "\u202e")
"""Texts that no page of a vendor makes."""


@dataclass(frozen=True)
class CaptchaCase:
    """Hold a vendor's module, and what was recorded of it.

    Keys of `recorded`: `settings`; `asked` (the arguments of `verify`); `request`; `passed`, an answer that passes;
    `needed`, those of its keys without which it is no pass; `failed` and `unknown`, answers by name. `tries` is how
    often the vendor is asked when no answer comes, by default once. `unbound` names the arguments, of hosts, action
    and now, that nothing in the vendor's exchange can be compared with.
    """

    module: Any
    recorded: Mapping[str, Any]

    @property
    def passed(self) -> Answer:
        """Return the recorded pass."""
        return answer_of(self.recorded["passed"])

    async def verify(self, *outcomes: Outcome, **changes: Any) -> tuple[VendorVerdict, FakeOutward]:
        """Ask a fresh vendor about the recorded token, some arguments changed. Outside answers with `outcomes`.

        Raises:
            AssertionError: the vendor raised something.
        """
        outward = FakeOutward(*outcomes)
        vendor = self.module.build(settings_of(self.module.Settings, self.recorded["settings"]), outward)
        asked = {**self.recorded["asked"], **changes}
        asked["hosts"] = frozenset(asked["hosts"])
        with nothing_raised("verify"):
            return await vendor.verify(asked.pop("payload"), **asked), outward


class CaptchaVendorContract:
    """Test `menshen.ports.captcha.CaptchaVendor`."""

    def test_its_settings_keep_the_rules(self, case: CaptchaCase) -> None:
        demand_settings(case.module.Settings, case.recorded["settings"])

    async def test_it_asks_as_was_recorded(self, case: CaptchaCase) -> None:
        _, outward = await case.verify(case.passed)
        assert [sent(request) for request in outward.requests] == [request_of(case.recorded["request"])]
        assert not outward.requests[0].own_host

    async def test_a_pass_is_one(self, case: CaptchaCase) -> None:
        verdict, _ = await case.verify(case.passed)
        assert verdict == Passed()

    async def test_a_failure_is_one(self, case: CaptchaCase) -> None:
        assert case.recorded["failed"]
        for name, answer in case.recorded["failed"].items():
            verdict, _ = await case.verify(answer_of(answer))
            assert isinstance(verdict, Failed), name

    async def test_an_error_of_the_vendor_is_no_verdict(self, case: CaptchaCase) -> None:
        assert case.recorded["unknown"]
        for name, answer in case.recorded["unknown"].items():
            verdict, outward = await case.verify(answer_of(answer))
            assert isinstance(verdict, Unknown), name
            assert len(outward.requests) == 1, name

    async def test_what_no_vendor_says_is_no_verdict(self, case: CaptchaCase) -> None:
        for body in BODIES_WITHOUT_VERDICT:
            verdict, _ = await case.verify(Answer(200, {}, body))
            assert isinstance(verdict, Unknown), body[:20]
        for status in STATUSES_WITHOUT_VERDICT:
            verdict, _ = await case.verify(Answer(status, {"location": "https://elsewhere.example"}, case.passed.body))
            assert isinstance(verdict, Unknown), status
        for answer in doubled(case.passed):
            verdict, _ = await case.verify(answer)
            assert isinstance(verdict, Unknown), answer.body

    async def test_no_answer_is_never_a_pass(self, case: CaptchaCase) -> None:
        for outcome in (NotReached("connect"), Unknown("timeout")):
            verdict, outward = await case.verify(outcome)
            assert verdict == outcome
            # A second try has the same bytes, so that the vendor can see that it is one question.
            assert len(outward.requests) == case.recorded.get("tries", 1)
            assert all(sent(request) == sent(outward.requests[0]) for request in outward.requests)

    async def test_a_pass_is_good_for_its_own_host_action_and_time(self, case: CaptchaCase) -> None:
        now = Instant(case.recorded["asked"]["now"])
        elsewhere: list[dict[str, Any]] = [{"now": after(now, DAY)}, {"now": after(now, -DAY)}]
        elsewhere += [{"hosts": ["elsewhere.example"]}, {"hosts": []}]
        elsewhere += [{"action": "elsewhere"}] if case.recorded["asked"]["action"] else []
        for changes in elsewhere:
            verdict, _ = await case.verify(case.passed, **changes)
            unbound = set(changes) <= set(case.recorded.get("unbound", ()))
            assert isinstance(verdict, Passed if unbound else Failed), changes

    async def test_every_word_of_a_pass_counts(self, case: CaptchaCase) -> None:
        assert case.recorded["needed"]
        for key, value, answer in altered(case.passed):
            verdict, _ = await case.verify(answer)
            if key in case.recorded["needed"]:
                assert not isinstance(verdict, Passed), (key, value)

    async def test_a_token_that_no_page_makes_is_asked_about_nowhere(self, case: CaptchaCase) -> None:
        for payload in ODD_TOKENS:
            verdict, outward = await case.verify(case.passed, payload=payload)
            assert isinstance(verdict, Failed), payload[:20]
            assert outward.requests == []

    async def test_an_address_that_is_withheld_is_not_sent(self, case: CaptchaCase) -> None:
        address = case.recorded["asked"]["client_ip"]
        assert address
        _, outward = await case.verify(case.passed, client_ip="")
        (request,) = outward.requests
        assert address.encode() not in request.body
        assert address not in request.url + str(request.headers)

    async def test_nothing_shows_a_secret(self, case: CaptchaCase) -> None:
        secrets = self._secrets(case)
        settings = settings_of(case.module.Settings, case.recorded["settings"])
        demand_hidden(case.module.build(settings, FakeOutward()), secrets)
        for answer in (case.passed, *map(answer_of, case.recorded["failed"].values())):
            verdict, outward = await case.verify(answer)
            demand_hidden(verdict, secrets)
            for request in outward.requests:
                demand_hidden(request, secrets)
                for secret in secrets.values():
                    assert secret not in request.url

    async def test_a_verdict_repeats_no_text_of_the_vendor(self, case: CaptchaCase) -> None:
        for _, _, answer in altered(case.passed):
            verdict, _ = await case.verify(Answer(200, {}, answer.body.replace(b'"x"', f'"{MARK}"'.encode())))
            demand_hidden(verdict, {"vendor's text": MARK})
        for recorded in (*case.recorded["failed"].values(), *case.recorded["unknown"].values()):
            for _, _, answer in altered(answer_of(recorded)):
                verdict, _ = await case.verify(Answer(200, {}, answer.body.replace(b'"x"', f'"{MARK}"'.encode())))
                demand_hidden(verdict, {"vendor's text": MARK})

    def _secrets(self, case: CaptchaCase) -> dict[str, str]:
        values = case.recorded["settings"].items()
        found = {name: text for name, text in values if "secret" in name or name.endswith("key")}
        assert found, "no secret among the recorded settings"
        return {**found, "token": case.recorded["asked"]["payload"]}


@dataclass(frozen=True)
class ChallengeCase:
    """Hold the built-in test as `provider`, the time `now`, and the client's part: `solve` makes a payload."""

    provider: CaptchaProvider
    solve: Callable[[ProofOfWork], str]
    now: Instant

    def challenge(
        self, app_id: int = 7, network: str = "192.0.2.0/24", difficulty: int = 1, basis: str = ""
    ) -> ProofOfWork:
        """Make a challenge."""
        return self.provider.challenge(app_id=app_id, network=network, difficulty=difficulty, now=self.now, basis=basis)


class ChallengeContract:
    """Test `menshen.ports.captcha.CaptchaProvider`."""

    def test_a_solved_challenge_stands_for_its_own_terms(self, case: ChallengeCase) -> None:
        for app_id, network, difficulty in ((7, "192.0.2.0/24", 1), (8, "2001:db8::/64", 2)):
            solved = case.provider.check(case.solve(case.challenge(app_id, network, difficulty)), case.now)
            assert solved
            assert (solved.app_id, solved.network, solved.difficulty) == (app_id, network, difficulty)
            assert solved.expires_at == after(case.now, CHALLENGE_LIFETIME)

    def test_a_basis_comes_back_as_it_was(self, case: ChallengeCase) -> None:
        for basis in ("", "vendor:main", "pass:" + "0f" * 32):
            solved = case.provider.check(case.solve(case.challenge(basis=basis)), case.now)
            assert solved
            assert solved.basis == basis

    def test_its_payloads_are_told_from_other_texts(self, case: ChallengeCase) -> None:
        payload = case.solve(case.challenge())
        assert case.provider.recognizes(payload)
        # The form counts, and not whether it is good: an old payload is no token of a vendor.
        assert case.provider.check(payload, after(case.now, CHALLENGE_LIFETIME)) is None
        for text in (*ODD_TOKENS, payload[1:], "e30=", "bnVsbA==", '{"lot_number":"a"}', "0.token_of-a.vendor"):
            assert not case.provider.recognizes(text), text[:20]

    def test_each_challenge_is_another(self, case: ChallengeCase) -> None:
        solved = [case.provider.check(case.solve(case.challenge()), case.now) for _ in range(5)]
        assert len({one.nonce for one in solved if one}) == 5

    def test_a_challenge_lives_until_its_last_millisecond(self, case: ChallengeCase) -> None:
        payload = case.solve(case.challenge())
        assert case.provider.check(payload, after(case.now, CHALLENGE_LIFETIME - 1))
        assert case.provider.check(payload, after(case.now, CHALLENGE_LIFETIME)) is None
        assert case.provider.check(payload, after(case.now, -CHALLENGE_LIFETIME - 1)) is None

    def test_a_text_that_no_client_makes_is_none(self, case: ChallengeCase) -> None:
        payload = case.solve(case.challenge())
        half = len(payload) // 2
        changed = (payload[:half], payload[1:], payload + "A", payload[:half] + "AAAA" + payload[half + 4 :])
        for text in (*ODD_TOKENS, *changed, "e30=", "bnVsbA=="):
            assert case.provider.check(text, case.now) is None, text[:20]
