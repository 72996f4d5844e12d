"""Another way in must remain, and a last factor where the app asks for two proofs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import App, SecondFactorRule
from menshen.core.factors.proofs import asks
from menshen.core.factors.removing import may_remove

APP = App(1, "app", "1", "s")
ADMINS = replace(APP, second_factor=SecondFactorRule.REQUIRED_FOR)
ALL = replace(APP, second_factor=SecondFactorRule.REQUIRED)
BARE = Account(1, "id", username="kevin")
KNOWN = replace(BARE, password_hash="$argon2id$")
PHONE = replace(BARE, phone="+8613544285662", phone_verified=True)
CLAIM = replace(PHONE, phone_verified=False)


@pytest.mark.parametrize(
    ("account", "app", "factors", "logins", "may"),
    [
        (KNOWN, APP, 0, 0, True),
        (PHONE, APP, 0, 0, True),
        (BARE, APP, 0, 0, False),
        (CLAIM, APP, 0, 0, False),
        (BARE, APP, 3, 0, False),
        (BARE, APP, 1, 1, True),
        (KNOWN, ALL, 0, 0, False),
        (KNOWN, ALL, 1, 0, True),
        (KNOWN, ADMINS, 0, 0, True),
        (replace(KNOWN, roles="general_user admin"), ADMINS, 0, 0, False),
        (replace(KNOWN, roles="general_user admin"), ADMINS, 1, 0, True),
    ],
)
def test_what_may_be_removed(account: Account, app: App, factors: int, logins: int, may: bool) -> None:
    assert may_remove(account, asked=asks(app, account), factors_left=factors, logins_left=logins) is may
