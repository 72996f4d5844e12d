"""Make and verify the built-in behaviour test: ALTCHA v2 proof of work, by the `altcha` library.

Nothing is stored until a challenge is solved: it holds app, network, difficulty and expiry under a signature.
To solve it, a browser computes around 256 PBKDF2 derivations at `cost` iterations. Each step of difficulty doubles the
iterations. To verify it takes one derivation.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from menshen.core.gates.captcha import CHALLENGE_LIFETIME, ProofOfWork, Solved
from menshen.core.keys import Keyring, Use
from menshen.core.time import SECOND, Instant

_ALGORITHM: Final = "PBKDF2/SHA-256"
_LONGEST_PAYLOAD: Final = 8192
_MOST_COST: Final = 200_000


class ProofOfWorkCaptcha:
    """Implement `menshen.ports.captcha.CaptchaProvider`."""

    def __init__(self, keyring: Keyring, cost: int) -> None:
        """Take the signing keys, and `cost`: PBKDF2's iterations at difficulty 1."""
        self._secrets = [key.derive(Use.CAPTCHA).hex() for key in keyring.keys]
        self._cost = cost

    def challenge(self, *, app_id: int, network: str, difficulty: int, now: Instant, basis: str = "") -> ProofOfWork:
        import altcha

        data: dict[str, str | int] = {"app": app_id, "network": network, "difficulty": difficulty}
        if basis:
            data["basis"] = basis

        made = altcha.create_challenge(
            _ALGORITHM,
            min(self._cost << (difficulty - 1), _MOST_COST),
            expires_at=(now + CHALLENGE_LIFETIME) // SECOND,
            data=data,
            hmac_secret=self._secrets[0],
        ).to_dict()
        return ProofOfWork(made["parameters"], made["signature"])

    def recognizes(self, payload: str) -> bool:
        return _decoded(payload) is not None

    def check(self, payload: str, now: Instant) -> Solved | None:
        decoded = _decoded(payload)
        if decoded is None:
            return None
        # Loaded at the first use, here and above, because a start does not need it.
        import altcha

        try:
            given = altcha.Payload.from_dict(decoded)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        for secret in self._secrets:
            # Expiry is checked below, by the program's own clock.
            if altcha.verify_solution(given, secret).verified:
                break
        else:
            return None
        parameters = given.challenge.parameters
        data = parameters.data or {}
        expires_at = Instant((parameters.expires_at or 0) * SECOND)
        if now >= expires_at or expires_at > now + 2 * CHALLENGE_LIFETIME:
            return None
        difficulty = int(data.get("difficulty", 1))
        basis = str(data.get("basis", ""))
        return Solved(parameters.nonce, int(data["app"]), str(data["network"]), expires_at, difficulty, basis)


def _decoded(payload: str) -> dict[str, Any] | None:
    """Return the payload, or None if no solver would send it. The library gets only input of the expected form."""
    if len(payload) > _LONGEST_PAYLOAD or not payload.isascii():
        return None
    try:
        given: Any = json.loads(base64.b64decode(payload, validate=True).decode("utf-8"))
        parameters, solution = given["challenge"]["parameters"], given["solution"]
        texts = (
            parameters["algorithm"], parameters["nonce"], parameters["salt"], given["challenge"]["signature"],
            solution["derivedKey"],
        )  # fmt: skip
        if not all(isinstance(text, str) for text in texts) or parameters["algorithm"] != _ALGORITHM:
            return None
        numbers = (parameters["cost"], parameters["expiresAt"], parameters["keyLength"], solution["counter"])
        if not all(type(number) is int and 0 <= number < 2**32 for number in numbers):
            return None
        return given if isinstance(given, dict) else None
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError, binascii.Error):
        return None
