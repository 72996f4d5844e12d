"""Judging a new password for somebody: the app's minimum, the blocklist, the person's own words."""

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
"""Where no dialect speaks: what an operator sets on the command line."""

WEAK_PASSWORD: Final = frozenset({ProblemCode.WEAK_PASSWORD})
"""What `judge_new_password` refuses."""


def judge_new_password(
    password: str, app: App, policy: Policy, blocklist: Blocklist, own_words: Iterable[str | None], *, minimum: int
) -> bytes | Denied:
    """The bytes to hash, or Denied(WEAK_PASSWORD) whose `field` is the reason: short, long, common, own_words.

    Every call that sets a password comes through here, the command line's included; `own_words` are `own_words` of
    whoever is known to get it. (ASVS 5.0 6.1.2.)
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
    """Somebody's identifiers, in canonical form, as words that their password may not lean on: the one list of them."""
    return (username, national(phone) if phone else None, email, email.partition("@")[0] if email else None)


def words_of(account: Account) -> tuple[str | None, ...]:
    """`own_words` of an account."""
    return own_words(account.username, account.phone, account.email)
