"""Check a new password against the app's minimum length, the blocklist, and the person's own words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.identifiers import national
from menshen.core.login.passwords import Blocklist, hashable, weakness
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode

DEFAULT_PASSWORD_MIN = 8
"""Minimum length of a password that an operator sets on the command line, if the app has no own minimum."""

WEAK_PASSWORD: Final = frozenset({ProblemCode.WEAK_PASSWORD})
"""Refusals of `judge_new_password`."""


def judge_new_password(
    password: str, app: App, policy: Policy, blocklist: Blocklist, own_words: Iterable[str | None], *, minimum: int
) -> bytes | Denied:
    """Return the bytes to hash, or Denied(WEAK_PASSWORD). Its `field` is the reason: short, long, common, own_words.

    Every call that sets a password uses this, also the command line. `own_words` holds the words of the person who gets
    the password, as far as they are known. (ASVS 5.0 6.1.2.)
    """
    words = [word for word in (*own_words, *policy.product_words, app.name, app.app_name) if word]
    reason = weakness(password, minimum=minimum, blocklist=blocklist, own_words=words)
    raw = hashable(password)
    if reason or raw is None:
        return Denied(ProblemCode.WEAK_PASSWORD, field=reason or "long", least=minimum if reason == "short" else None)
    return raw


def own_words(
    username: str | None = None, phone: str | None = None, email: str | None = None
) -> tuple[str | None, ...]:
    """Return a person's canonical identifiers as words that their password must not be based on.

    No other place makes this list.
    """
    return (username, national(phone) if phone else None, email, email.partition("@")[0] if email else None)


def words_of(account: Account) -> tuple[str | None, ...]:
    """Return the `own_words` of an account."""
    return own_words(account.username, account.phone, account.email)
