"""Make the options that a page gives to the browser's WebAuthn calls. (docs/contracts/factors.md section 6.)

They have the form of `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`: bytes are
base64url without padding. (WebAuthn Level 3 sections 5.1.8 and 5.1.9.)
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

from menshen.core.account.accounts import Account
from menshen.core.factors.passkeys import CHALLENGE_LIFETIME, Passkey, PublicKeyOptions
from menshen.core.identifiers import masked

ALGORITHMS: Final = (-8, -7, -257)
"""COSE numbers of the algorithms that a key may have, the best first: Ed25519, ES256, RS256."""

_KIND: Final = "public-key"


def base64url(raw: bytes) -> str:
    """Return base64url without padding, as WebAuthn's JSON has it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def name_of(account: Account) -> str:
    """Return the name that a browser shows beside a passkey: the masked phone, else the username, else the masked mail.

    The browser keeps it on devices and in clouds, so no whole phone or address stands in it.
    """
    if account.phone and account.phone_verified:
        return masked(account.phone)
    return account.username_shown or account.username or (masked(account.email) if account.email else "")


def creation(
    account: Account, handle: bytes, existing: Sequence[Passkey], challenge: bytes, *, rp_id: str, rp_name: str
) -> PublicKeyOptions:
    """Return the options of a registration. `existing` are the passkeys that the account has: no key is added twice."""
    shown = name_of(account)
    return PublicKeyOptions(
        {
            "rp": {"id": rp_id, "name": rp_name or rp_id},
            "user": {"id": base64url(handle), "name": shown, "displayName": account.profile.nickname or shown},
            "challenge": base64url(challenge),
            "pubKeyCredParams": [{"type": _KIND, "alg": each} for each in ALGORITHMS],
            "timeout": CHALLENGE_LIFETIME,
            "excludeCredentials": _described(existing, rp_id),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
            "extensions": {"credProps": True},
        }
    )


def request(
    challenge: bytes, *, rp_id: str, allowed: Sequence[Passkey] | None = None, verify_user: bool = True
) -> PublicKeyOptions:
    """Return the options of a signature. Without `allowed`, the browser shows the passkeys that it finds itself.

    Without `verify_user`, a key that cannot verify its user is good enough: as a second step.
    """
    made: dict[str, Any] = {
        "challenge": base64url(challenge),
        "timeout": CHALLENGE_LIFETIME,
        "rpId": rp_id,
        "userVerification": "required" if verify_user else "preferred",
    }
    if allowed is not None:
        made["allowCredentials"] = _described(allowed, rp_id)
    return PublicKeyOptions(made)


def _described(passkeys: Sequence[Passkey], rp_id: str) -> list[dict[str, Any]]:
    """Describe the passkeys of this RP id. A browser knows no others."""
    described = []
    for passkey in passkeys:
        if passkey.rp_id != rp_id:
            continue
        one: dict[str, Any] = {"type": _KIND, "id": base64url(passkey.credential)}
        if passkey.transports:
            one["transports"] = passkey.transports.split()
        described.append(one)
    return described
