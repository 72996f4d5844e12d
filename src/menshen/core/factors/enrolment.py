"""Decide which factors an app lets people enrol, and what an authenticator app shows of an account.

(docs/contracts/factors.md sections 5 and 9.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import DEFAULT_APP, App, SecondFactorRule
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


def label_of(account: Account) -> str:
    """Return what names the account to its owner: the masked phone, else the username, else the masked address."""
    if account.phone and account.phone_verified:
        return masked(account.phone)
    if account.username_shown or account.username:
        return account.username_shown or account.username or ""
    return masked(account.email) if account.email else account.public_id


def issuer_of(product: str, app: App) -> str:
    """Return what names the service: the product of the settings, else the app. The default app has no own name."""
    return product or ("" if app.name == DEFAULT_APP else app.name) or NO_PRODUCT
