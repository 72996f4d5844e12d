"""Define `[captcha]`: the built-in test, and the vendors of captchas. (docs/contracts/vendors.md section 4.)"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from menshen.app.settings.chosen import Chosen, chooses
from menshen.core.gates.captcha_vendors import Fallback, VendorTerms
from menshen.core.policy import Policy

_LONGEST_QUESTION = 60.0
"""Seconds for one question to a vendor whose type has no `timeout_seconds`."""


class CaptchaVendorKeys(Struct, frozen=True, kw_only=True):
    """Hold the keys that the tables of all vendors share."""

    hosts: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")], ...],
        Meta(
            description="Host names of the pages that may have shown the test, without port. Empty: the app's `host`, "
            "`[server] hosts` for the default app, and the hosts of `[server] cors_origins`."
        ),
    ] = ()
    action: Annotated[
        str, Meta(max_length=100, description="What the page says the test was shown for. Empty: not asked.")
    ] = ""
    per_day: Annotated[
        int, Meta(ge=0, le=10**9, description="Questions to the vendor a day (UTC) on all nodes; 0: no limit.")
    ] = 0
    fallback: Annotated[
        Literal["proof_of_work", "refuse"],
        Meta(
            description="When the vendor gives no verdict: the built-in test, one step harder than the network "
            "deserves, or 503. It is never a pass."
        ),
    ] = "proof_of_work"
    send_ip: Annotated[bool, Meta(description="Tell the vendor the address of the client.")] = True


class Captcha(Struct, frozen=True, kw_only=True):
    """Set the built-in proof of work, and the vendors that apps may have in its place."""

    cost: Annotated[
        int, Meta(ge=1, le=200_000, description="Iterations of PBKDF2 at the easiest difficulty of the proof of work.")
    ] = Policy().captcha_cost
    vendors: Annotated[
        tuple[Chosen, ...],
        Meta(
            description="The vendors as tables: `name`, `type`, the keys that all share, and the type's own keys.",
            extra=chooses("captcha", CaptchaVendorKeys),
        ),
    ] = ()


def terms_of(chosen: Chosen) -> VendorTerms:
    """Return what the flows need to know of a vendor."""
    keys: CaptchaVendorKeys = chosen.terms
    return VendorTerms(
        name=chosen.name,
        type=chosen.type,
        hosts=frozenset(keys.hosts),
        action=keys.action,
        per_day=keys.per_day,
        fallback=Fallback(keys.fallback),
        send_ip=keys.send_ip,
        # The vendor's own limit ends a question. This one is for a file that forgets it.
        seconds=getattr(chosen.settings, "timeout_seconds", _LONGEST_QUESTION) + 1,
    )
