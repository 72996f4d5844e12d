"""Test what every second factor must do. A factor's own test module is ten lines:

    from menshen.testing.factor_contract import FactorCase, FactorContract

    class TestMyFactor(FactorContract):
        @pytest.fixture
        def case(self): return FactorCase(my_factor, json.loads(…))

`my_factor` is the factor's module. The JSON holds an enrolment and the proofs that a device gave, as those of the
specimen in `tests/adapters`. The chance is handed in, so that they can be recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from menshen.core.time import Instant
from menshen.ports.factors import METHODS, RANDOM_BYTES, Begun, Challenge, Enrolled, Proved, SecondFactor, Unproved
from menshen.testing.plugin_rules import demand_hidden, demand_settings, nothing_raised, settings_of

ODD_PROOFS: Final = ("", " ", "\0", "\n", "é", "\ud800", "x" * 10_000, "{}", "null", "[" * 5000, "０１２３４５６７")
"""Texts that no device shows."""

OTHER: Final = b"\x77" * RANDOM_BYTES


@dataclass(frozen=True)
class FactorCase:
    """Hold a factor's module, and what was recorded of one device.

    Keys of `recorded`: `settings`; `label` and `issuer`; `chance` (hex); `secret` and `shown`, what an enrolment makes
    of them; `proofs`, in the order in which the device gave them: the `proof`, its time `now` (epoch ms), the `counter`
    after it, and the `chance` of its challenge (hex) where there is one; `wrong`, texts that look like a proof and are
    none.
    """

    module: Any
    recorded: Mapping[str, Any]

    def factor(self) -> SecondFactor:
        """Make a fresh factor."""
        made: SecondFactor = self.module.build(settings_of(self.module.Settings, self.recorded["settings"]))
        return made

    def begin(self, chance: bytes = b"") -> Begun:
        """Begin the recorded enrolment, or another."""
        return self.factor().begin(
            self.recorded["label"], self.recorded["issuer"], chance or bytes.fromhex(self.recorded["chance"])
        )

    def challenge(self, enrolled: Enrolled, proof: Mapping[str, Any], chance: bytes = b"") -> Challenge:
        """Ask for a recorded proof."""
        chance = chance or bytes.fromhex(proof.get("chance", "00" * RANDOM_BYTES))
        return self.factor().challenge((enrolled,), chance, Instant(proof["now"]))

    def prove(self, enrolled: Enrolled, proof: Mapping[str, Any], text: str | None = None) -> Proved | Unproved:
        """Judge a recorded proof, or another text in its place.

        Raises:
            AssertionError: the factor raised something.
        """
        given = proof["proof"] if text is None else text
        with nothing_raised("prove"):
            return self.factor().prove(enrolled, given, self.challenge(enrolled, proof), Instant(proof["now"]))

    def confirm(self, enrolled: Enrolled, text: str | None = None) -> Proved | Unproved:
        """End the enrolment with the first recorded proof, or with another text."""
        first = self.recorded["proofs"][0]
        given = first["proof"] if text is None else text
        return self.factor().confirm(enrolled, given, self.challenge(enrolled, first), Instant(first["now"]))


class FactorContract:
    """Test `menshen.ports.factors.SecondFactor`."""

    def test_its_settings_keep_the_rules(self, case: FactorCase) -> None:
        demand_settings(case.module.Settings, case.recorded["settings"])

    def test_it_says_what_it_is(self, case: FactorCase) -> None:
        factor = case.factor()
        assert factor.methods
        assert set(factor.methods) <= METHODS

    def test_it_begins_as_was_recorded(self, case: FactorCase) -> None:
        assert len(bytes.fromhex(case.recorded["chance"])) == RANDOM_BYTES
        begun = case.begin()
        assert begun.enrolled == Enrolled(case.recorded["secret"])
        assert begun.shown == case.recorded["shown"]

    def test_no_two_enrolments_have_one_secret(self, case: FactorCase) -> None:
        chance = bytes.fromhex(case.recorded["chance"])
        # Each byte of chance counts.
        others = [chance[:n] + bytes([chance[n] ^ 0x55]) + chance[n + 1 :] for n in range(20)]
        assert len({case.begin(one).enrolled.secret for one in (chance, *others)}) == len(others) + 1

    def test_the_recorded_proofs_are_right_and_the_counter_rises(self, case: FactorCase) -> None:
        assert len(case.recorded["proofs"]) >= 3
        enrolled = case.begin().enrolled
        for proof in case.recorded["proofs"]:
            proved = case.prove(enrolled, proof)
            assert isinstance(proved, Proved), proof
            assert proved.enrolled.counter == proof["counter"]
            assert proved.enrolled.counter > enrolled.counter or "chance" in proof
            enrolled = proved.enrolled

    def test_no_proof_is_right_twice(self, case: FactorCase) -> None:
        enrolled = case.begin().enrolled
        before: list[Mapping[str, Any]] = []
        for proof in case.recorded["proofs"]:
            proved = case.prove(enrolled, proof)
            assert isinstance(proved, Proved)
            enrolled = proved.enrolled
            before.append(proof)
            for spent in before:
                self._refuse_spent(case, enrolled, spent)

    def test_a_first_proof_confirms_and_is_used_up(self, case: FactorCase) -> None:
        first = case.recorded["proofs"][0]
        confirmed = case.confirm(case.begin().enrolled)
        assert isinstance(confirmed, Proved)
        self._refuse_spent(case, confirmed.enrolled, first)
        second = case.recorded["proofs"][1]
        assert isinstance(case.prove(confirmed.enrolled, second), Proved)

    def test_a_wrong_proof_changes_nothing(self, case: FactorCase) -> None:
        factor, enrolled = case.factor(), case.begin().enrolled
        proof = case.recorded["proofs"][0]
        asked, now = case.challenge(enrolled, proof), Instant(proof["now"])
        for wrong in (*case.recorded["wrong"], *ODD_PROOFS):
            for judge in (factor.prove, factor.confirm):
                with nothing_raised("a proof"):
                    assert isinstance(judge(enrolled, wrong, asked, now), Unproved), wrong[:20]
        right = factor.prove(enrolled, proof["proof"], asked, now)
        assert isinstance(right, Proved)
        assert right.enrolled.counter == proof["counter"]

    def test_no_second_spelling_of_a_proof_is_right(self, case: FactorCase) -> None:
        enrolled = case.begin().enrolled
        for proof in case.recorded["proofs"][:1]:
            text = proof["proof"]
            wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
            for spelt in (f" {text}", f"{text} ", f"{text}\n", f"0{text}", f"{text}0", wide, text[:-1], f"+{text}"):
                assert isinstance(case.prove(enrolled, proof, spelt), Unproved), spelt

    def test_a_proof_is_no_good_for_anothers_secret(self, case: FactorCase) -> None:
        other = case.begin(OTHER).enrolled
        for proof in case.recorded["proofs"]:
            assert isinstance(case.prove(other, proof), Unproved)

    def test_a_secret_that_was_altered_proves_nothing(self, case: FactorCase) -> None:
        secret = case.begin().enrolled.secret
        for altered in ("", secret[:-1], f"{secret}A", secret[::-1]):
            for proof in case.recorded["proofs"]:
                assert isinstance(case.prove(Enrolled(altered), proof), Unproved)

    def test_a_challenge_tells_no_secret(self, case: FactorCase) -> None:
        enrolled = case.begin().enrolled
        for proof in case.recorded["proofs"]:
            challenge = case.challenge(enrolled, proof)
            assert enrolled.secret not in str(challenge.asked)
            assert enrolled.secret not in challenge.remembered
            other = case.challenge(enrolled, proof, OTHER)
            assert (challenge == other) == ("chance" not in proof)

    def test_nothing_shows_a_secret(self, case: FactorCase) -> None:
        factor, proof = case.factor(), case.recorded["proofs"][0]
        begun = factor.begin(case.recorded["label"], case.recorded["issuer"], bytes.fromhex(case.recorded["chance"]))
        secrets = {"secret": begun.enrolled.secret, "proof": proof["proof"]}
        shown = (factor, begun, begun.enrolled, case.challenge(begun.enrolled, proof))
        for one in (*shown, case.prove(begun.enrolled, proof), case.confirm(begun.enrolled)):
            demand_hidden(one, secrets)

    def _refuse_spent(self, case: FactorCase, enrolled: Enrolled, spent: Mapping[str, Any]) -> None:
        """Demand that a spent proof is refused: by the counter, or because it answers another challenge."""
        other = case.challenge(enrolled, spent, OTHER if "chance" in spent else b"")
        judged = case.factor().prove(enrolled, spent["proof"], other, Instant(spent["now"]))
        assert isinstance(judged, Unproved), spent
