"""Decide whether a factor may be removed.

(docs/contracts/factors.md sections 9 and 10, docs/security/attacks.md MF-14.)
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.factors.proofs import asks


def may_remove(account: Account, app: App, *, factors_left: int, logins_left: int) -> bool:
    """Return whether an account, read behind its lock, may lose a factor.

    `factors_left` are the confirmed factors and passkeys that would remain, recovery codes not counted. `logins_left`
    are the passkeys among them that log in alone. Another way in must remain: a password, a proved phone or email, or
    such a passkey. Where the app asks this account for two proofs, a last factor must remain.
    """
    # A password needs a name to type beside it, and an unproved phone is none.
    has_password = account.password_hash != "" and account.username is not None
    has_way_in = has_password or bool(account.proved) or logins_left > 0
    return has_way_in and (factors_left > 0 or not asks(app, account))
