"""Judging a new password for somebody: the app's minimum, the blocklist, the person's own words."""

from __future__ import annotations

from collections.abc import Iterable

from menshen.core.accounts import Account
from menshen.core.apps import App
from menshen.core.identifiers import national
from menshen.core.passwords import Blocklist, hashable, weakness
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode

DEFAULT_PASSWORD_MIN = 8
"""Where no dialect speaks: what an operator sets on the command line."""


def judge_new_password(
    password: str, app: App, policy: Policy, blocklist: Blocklist, own_words: Iterable[str | None], *, minimum: int
) -> bytes | Denied:
    """The bytes to hash, or Denied(WEAK_PASSWORD) whose `field` is the reason: short, long, common, own_words."""
    words = [word for word in (*own_words, *policy.product_words, app.name, app.app_name) if word]
    reason = weakness(password, minimum=minimum, blocklist=blocklist, own_words=words)
    raw = hashable(password)
    if reason or raw is None:
        return Denied(ProblemCode.WEAK_PASSWORD, field=reason or "long", least=minimum if reason == "short" else None)
    return raw


def words_of(account: Account) -> tuple[str | None, ...]:
    """The identifiers of an account as words that its password may not lean on."""
    email = account.email.partition("@")[0] if account.email else None
    return (account.username, national(account.phone) if account.phone else None, email)
