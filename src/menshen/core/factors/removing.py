"""Decide whether a factor may be removed.

(docs/contracts/factors.md sections 9 and 10, docs/security/attacks.md MF-14.)
"""

from __future__ import annotations

from menshen.core.account.accounts import Account


def may_remove(account: Account, *, asked: bool, factors_left: int, logins_left: int) -> bool:
    """Return whether an account, read behind its lock, may lose a factor.

    `factors_left` are the confirmed factors and passkeys that would remain, recovery codes not counted. `logins_left`
    are the passkeys among them that log in alone. Another way in must remain: a password, a proved phone or email, or
    such a passkey. Where an app asks this account for two proofs (`asked`), a last factor must remain.
    """
    # A password needs a name to type beside it, and an unproved phone is none.
    has_password = account.password_hash != "" and account.username is not None
    has_way_in = has_password or bool(account.proved) or logins_left > 0
    return has_way_in and (factors_left > 0 or not asked)
