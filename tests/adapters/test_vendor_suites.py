"""The contracts of vendors, providers and factors themselves: a copy of a specimen with one mistake does not pass."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from menshen.app.plugins import PACKAGES
from menshen.testing.captcha_contract import CaptchaCase, CaptchaVendorContract
from menshen.testing.factor_contract import FactorCase, FactorContract
from menshen.testing.provider_contract import ProviderCase, ProviderContract
from tests.adapters.copying import Edit, copied_package

RECORDED = Path(__file__).parent


def was(old: str, new: str) -> Edit:
    return Edit("", old, new)


FROZEN = was("Settings(Struct, frozen=True,", "Settings(Struct,")
SHOWN = "Annotated[Secret,", "Annotated[str,"
RAISES = "except NotStrictError:", "except ZeroDivisionError:"
SUCCESS = 'said.get("success") is not True'
SUBJECT = "if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:"
STATE = '_same(callback.get("state", ""), trip.state)'
SHARED = json.loads((RECORDED / "factors" / "specimen.json").read_text("utf-8"))["secret"]
FITS = "hmac.compare_digest(_word(enrolled.secret, counter), proof)"

# Each mistake as somebody might make it, below the test that finds it.
CAPTCHA: dict[str, tuple[Edit, ...]] = {
    "test_its_settings_keep_the_rules": (
        FROZEN, was(*SHOWN), was(", forbid_unknown_fields=True", ""),
        was('description="The key by', 'title="The key by'),
    ),
    "test_it_asks_as_was_recorded": (was('"response": payload', '"token": payload'), was("!= ENDPOINT", "== ENDPOINT")),
    "test_a_pass_is_one": (was("    return Passed()", '    return Failed("never")'),),
    "test_a_failure_is_one": (was('"token-used": Blame.CLIENT', '"token-used": Blame.OURS'),),
    "test_an_error_of_the_vendor_is_no_verdict": (
        was('"secret-invalid": Blame.OURS', '"secret-invalid": Blame.CLIENT'),
        was("if words and all(", "if words and any("),
        was("if words and all(", "if all("),
    ),
    "test_what_no_vendor_says_is_no_verdict": (
        was("case Answer(status=200, body=body):", "case Answer(body=body):"),
        was("said = read_object(body)", "import json; said = dict(json.loads(body) or {})"),
        was('        return Unknown("no JSON")', '        return Failed("no JSON")'),
    ),
    "test_no_answer_is_never_a_pass": (
        was("                return unanswered", "                return Passed()"),
        was("                return unanswered", "                return await self.verify("
            "payload, hosts=hosts, action=action, client_ip='', now=now) if client_ip else unanswered"),
    ),
    "test_a_pass_is_good_for_its_own_host_action_and_time": (
        was("hostname not in hosts", "not hostname"),
        was("if action and", "if not action and"),
        was("not now - OLDEST <= solved_at * SECOND", "not 0 <= solved_at * SECOND"),
        was("<= now + OLDEST", ""),
    ),
    "test_every_word_of_a_pass_counts": (
        was(SUCCESS, 'not said.get("success")'),
        was("isinstance(hostname, str) or", "hostname or"),
        was("type(solved_at) is not int or", ""),
    ),
    "test_a_token_that_no_page_makes_is_asked_about_nowhere": (
        was("<= LONGEST_TOKEN", ""),
        was(" or not payload.isprintable()", ""),
        was(" or not payload.isascii()", ""),
    ),
    "test_an_address_that_is_withheld_is_not_sent": (
        was("self._request(payload, client_ip)", "self._request(payload, client_ip or '192.0.2.7')"),
    ),
    "test_nothing_shows_a_secret": (
        was("            self._settings.endpoint,\n", '            f"{self._settings.endpoint}?response={payload}",\n'),
        was("    async def verify(", "    def __repr__(self) -> str:\n        return str(self._settings.secret)\n\n"
            "    async def verify("),
    ),
    "test_a_verdict_repeats_no_text_of_the_vendor": (
        was("(word for word in words if word in ANSWERS)", "iter(words)"),
        was('return Failed("hostname")', "return Failed(str(hostname))"),
    ),
}  # fmt: skip
PROVIDER: dict[str, tuple[Edit, ...]] = {
    "test_its_settings_keep_the_rules": (FROZEN, was(*SHOWN)),
    "test_it_starts_as_was_recorded": (
        was('"code_challenge_method": "S256",', '"code_challenge_method": "plain",'),
        was("_text(chance[:32])", "_text(__import__('os').urandom(32))"),
    ),
    "test_a_start_carries_the_state_and_the_callback_once": (
        was('"state": trip.state,', '"state": trip.state[:8],'),
        was('trip.callback,\n            "scope"', '"https://login.example/",\n            "scope"'),
        was('"nonce": nonce,', '"nonce": trip.state,'),
    ),
    "test_each_round_trip_has_secrets_of_its_own": (
        was("_text(chance[:32]), _text(chance[32:])", '_text(b"v" * 32), _text(b"n" * 32)'),
    ),
    "test_a_fresh_proof_is_asked_for": (was("if trip.fresh:", "if not trip:"),),
    "test_its_hosts_stand_in_its_code": (
        was('TOKEN: Final = "https://api.', 'TOKEN: Final = "https://www.'),
        was('TOKEN: Final = "https://', 'TOKEN: Final = "http://'),
        was("seconds=self._settings.timeout_seconds)", "own_host=True)"),
    ),
    "test_no_callback_moves_it_to_another_host": (
        was('return Request("POST", TOKEN,', 'return Request("POST", TOKEN.replace("/token", code),'),
    ),
    "test_the_recorded_round_trip_names_the_person": (
        was('"code_verifier": verifier,', ""),
        was("subject=subject,", "subject=subject.lower(),"),
        was('"union_id"', '"unionid"'),
    ),
    "test_a_callback_of_another_round_trip_reaches_no_provider": (
        was(f"not {STATE} or ", ""),
        was(STATE, 'trip.state.startswith(callback.get("state", ""))'),
        was(STATE, 'callback.get("state", "").lower() == trip.state.lower()'),
    ),
    "test_a_callback_of_another_issuer_reaches_no_provider": (
        was(' or callback.get("iss") != ISSUER', ""),
        was('callback.get("iss") != ISSUER', 'callback.get("iss", ISSUER).rstrip("/") != ISSUER'),
    ),
    "test_a_callback_without_a_code_is_a_no_of_the_person": (
        was("            return Refusal(RefusalReason.CANCELLED)\n        if len", "            pass\n        if len"),
    ),
    "test_a_code_that_no_provider_gives_reaches_none": (
        was("len(code) > _LONGEST_CODE or ", ""),
        was(" or not code.isprintable()", ""),
        was(" or not code.isascii()", ""),
    ),
    "test_what_another_round_trip_remembers_is_no_good": (
        was('not _same(str(said.get("nonce", "")), nonce)', "not nonce"),
    ),
    "test_a_recorded_refusal_is_one": (
        was('"invalid_client": RefusalReason.MISCONFIGURED', '"invalid_client": RefusalReason.CODE_INVALID'),
        was('said.get("client_id") != self._settings.client_id or ', ""),
        was("case Answer(status=400 | 401, body=body):", "case Answer(status=400, body=body):"),
    ),
    "test_no_identity_is_kept_for_a_second_time": (
        was("        match await self._outward.exchange(self._request(trip, code, verifier)):",
            "        self.kept = getattr(self, 'kept', None) or await self._outward.exchange("
            "self._request(trip, code, verifier))\n        match self.kept:"),
    ),
    "test_what_is_no_verdict_names_nobody": (
        was("case Answer(status=200, body=body):", "case Answer(status=200 | 302, body=body):"),
        was("        return read_object(body)", "        import json; return dict(json.loads(body))"),
    ),
    "test_no_answer_names_nobody": (
        was("                return unanswered", "                return Refusal(RefusalReason.CANCELLED)"),
        was("                return unanswered", "                await self._outward.exchange("
            "self._request(trip, code, verifier))\n                return unanswered"),
    ),
    "test_no_answer_names_another_person": (
        was(SUBJECT, "subject = str(subject)\n        if not subject:"),
        was('subject = said.get("subject")', 'subject = said.get("subject") or said.get("email")'),
    ),
    "test_only_a_true_proves_anything": (
        was('if said.get("email_verified") is True else None', 'if said.get("email_verified") else None'),
    ),
    "test_nothing_shows_a_secret": (
        was('return Request("POST", TOKEN,', 'return Request("POST", f"{TOKEN}?code={code}",'),
        was('asked["prompt"] = "login"', 'pass\n        asked["v"] = verifier'),
        was("    def start(", "    def __repr__(self) -> str:\n        return str(self._settings.client_secret)\n\n"
            "    def start("),
    ),
}  # fmt: skip
FACTOR: dict[str, tuple[Edit, ...]] = {
    "test_its_settings_keep_the_rules": (FROZEN, was('description="How many presses', 'title="How many presses')),
    "test_it_says_what_it_is": (was('methods = ("otp",)', 'methods = ("magic",)'), was("most = 1", "most = 0")),
    "test_it_begins_as_was_recorded": (
        was('"label": label}', "}"),
        was("b32encode(chance)", "b32encode(chance[::-1])"),
    ),
    "test_no_two_enrolments_have_one_secret": (was("b32encode(chance)", "b32encode(chance[:10])"),),
    "test_the_recorded_proofs_are_right_and_the_counter_rises": (
        was("fits[0])", "enrolled.counter)"),
        was("        # Digits", "        self._look_ahead = 1\n        # Digits"),
    ),
    "test_no_proof_is_right_twice": (was("range(enrolled.counter + 1,", "range(max(0, enrolled.counter - 3),"),),
    "test_a_first_proof_confirms_and_is_used_up": (
        was("        return self.prove(begun, proof, challenge, now)",
            "        match self.prove(begun, proof, challenge, now):\n            case Proved():\n"
            "                return Proved(begun)\n            case unproved:\n                return unproved"),
    ),
    "test_a_wrong_proof_changes_nothing": (
        was(" if fits else Unproved.WRONG", " if fits else Proved(enrolled)"),
        was("enrolled.counter + 1 + self._look_ahead)", "enrolled.counter + 9)"),
        was("        if not _WORD.fullmatch(proof):\n            return Unproved.WRONG\n", "        int(proof)\n"),
        was("        return Proved(Enrolled(enrolled.secret, fits[0])) if fits else Unproved.WRONG",
            "        self._look_ahead = self._look_ahead if fits else 0\n"
            "        return Proved(Enrolled(enrolled.secret, fits[0])) if fits else Unproved.WRONG"),
    ),
    "test_no_second_spelling_of_a_proof_is_right": (
        was("_WORD.fullmatch(proof)", "_WORD.match(proof := proof.strip())"),
        was("        # Digits", "        proof = proof.translate({n + 65248: n for n in range(99)})\n        # Digits"),
        was("_WORD.fullmatch(proof)", "_WORD.match(proof := proof[:8])"),
    ),
    "test_a_proof_is_no_good_for_anothers_secret": (
        was("_word(enrolled.secret, counter)", f"_word({SHARED!r}, counter)"),
    ),
    "test_a_secret_that_was_altered_proves_nothing": (
        was(FITS, 'hmac.compare_digest(_word(f"{enrolled.secret}A"[:52], counter), proof)'),
    ),
    "test_a_challenge_tells_no_secret": (was("return Challenge()", 'return Challenge({"for": enrolled[0].secret})'),),
    "test_nothing_shows_a_secret": (
        was("    def begin(self, label: str, issuer: str, chance: bytes) -> Begun:\n",
            "    def __repr__(self) -> str:\n        return str(vars(self))\n\n"
            "    def begin(self, label: str, issuer: str, chance: bytes) -> Begun:\n"
            "        self.last = base64.b32encode(chance)\n"),
    ),
}  # fmt: skip

Case = Callable[[Any, Any], Any]
SUITES: dict[str, tuple[type, Case, dict[str, tuple[Edit, ...]], str]] = {
    "captcha": (CaptchaVendorContract, CaptchaCase, CAPTCHA, "captcha/vendors"),
    "federation": (ProviderContract, ProviderCase, PROVIDER, "federation"),
    "factors": (FactorContract, FactorCase, FACTOR, "factors"),
}
CASES = [
    (kind, name, n)
    for kind, (_, _, breaches, _) in SUITES.items()
    for name in breaches
    for n in range(len(breaches[name]))
]


async def run(kind: str, name: str, tmp_path: Path, *edits: Edit) -> None:
    suite, case, _, folder = SUITES[kind]
    recorded = (RECORDED / folder / "specimen.json").read_text("utf-8").replace("specimen", "copied_vendor")
    with copied_package(f"{PACKAGES[kind]}.specimen", "copied_vendor", tmp_path, edits) as copied:
        outcome = getattr(suite(), name)(case(copied.load(), json.loads(recorded)))
        if inspect.isawaitable(outcome):
            await outcome


@pytest.mark.parametrize(("kind", "name", "n"), CASES)
async def test_a_mistake_is_found(kind: str, name: str, n: int, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        await run(kind, name, tmp_path, SUITES[kind][2][name][n])


@pytest.mark.parametrize("kind", SUITES)
def test_each_test_of_the_suite_is_seen_failing(kind: str) -> None:
    suite, _, breaches, _ = SUITES[kind]
    tests = {name for name, _ in inspect.getmembers(suite, inspect.isfunction) if name.startswith("test_")}
    assert tests == set(breaches)
