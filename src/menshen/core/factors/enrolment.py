"""Decide who may enrol and remove factors, and what an authenticator app shows of an account.

(docs/contracts/factors.md sections 5, 9 and 10.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import DEFAULT_APP, App, SecondFactorRule
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.proofs import asks
from menshen.core.identifiers import masked
from menshen.core.time import MINUTE

LIFETIME: Final = 10 * MINUTE
"""How long an enrolment waits for its first proof (ms)."""

NO_PRODUCT: Final = "Menshen"
"""The name in an authenticator app where neither the settings nor the app give one."""


def is_listed(app: App, kind: str) -> bool:
    """Return whether the app lets its people have a kind of factor."""
    return kind in app.factors.split()


def allows(app: App, kind: str) -> bool:
    """Return whether the app lets people enrol a kind in a session. The rule OFF hides each kind.

    A login that must have a factor asks `is_listed` alone: under OFF, it is the account itself that wants two proofs.
    """
    return app.second_factor is not SecondFactorRule.OFF and is_listed(app, kind)


def keeps_last(app: App, account: Account) -> bool:
    """Return whether the account must keep a factor and its second step: the app, or the app for a role, asks for it."""
    return asks(app, account)


def has_way_in(account: Account, passkeys: Sequence[Passkey]) -> bool:
    """Return whether the account can log in with these passkeys.

    A password needs a name to type beside it. A proved phone or mailbox gets a code. A step-only key is no way in.
    """
    if account.proved or any(not passkey.step_only for passkey in passkeys):
        return True
    return account.password_hash != "" and account.username is not None


def label_of(account: Account) -> str:
    """Return what names the account to its owner: the masked phone, else the username, else the masked address."""
    if account.phone and account.phone_verified:
        return masked(account.phone)
    if account.username_shown or account.username:
        return account.username_shown or account.username or ""
    return masked(account.email) if account.email else account.public_id


def issuer_of(product: str, app: App) -> str:
    """Return what names the service: the product of the settings, else the app. The default app has no name of its own."""
    return product or ("" if app.name == DEFAULT_APP else app.name) or NO_PRODUCT
