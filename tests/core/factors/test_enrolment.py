"""Which kinds an app lets people enrol, and what an authenticator app shows. (docs/contracts/factors.md section 5.)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import App, SecondFactorRule
from menshen.core.factors.enrolment import allows, is_listed, issuer_of, label_of

APP = App(1, "default", "1", "s" * 32)
PHONE, EMAIL = "+8613544285662", "kevin@163.com"


@pytest.mark.parametrize("rule", SecondFactorRule)
def test_an_app_whose_rule_is_off_hides_what_it_lists(rule: SecondFactorRule) -> None:
    app = replace(APP, second_factor=rule, factors="totp  passkey")
    assert [is_listed(app, kind) for kind in ("totp", "passkey", "recovery", "", "tot")] == [True] * 2 + [False] * 3
    assert allows(app, "totp") == (rule is not SecondFactorRule.OFF)
    assert not allows(app, "recovery")


@pytest.mark.parametrize(
    ("account", "label"),
    [
        (Account(1, "p", "kevin", "Kevin", PHONE, True, EMAIL, True), "135****5662"),
        (Account(1, "p", "kevin", "Kevin", PHONE, False, EMAIL, True), "Kevin"),
        (Account(1, "p", "kevin", None), "kevin"),
        (Account(1, "p", email=EMAIL, email_verified=True), "ke***@163.com"),
        (Account(1, "p"), "p"),
    ],
)
def test_a_label_shows_no_whole_phone_or_address(account: Account, label: str) -> None:
    made = label_of(account)
    assert PHONE not in made
    assert EMAIL not in made
    assert made == label or ("@" in label and made.endswith("@163.com"))


@pytest.mark.parametrize(
    ("product", "name", "issuer"), [("门神", "shop", "门神"), ("", "shop", "shop"), ("", "default", "Menshen")]
)
def test_the_issuer_is_the_product_else_the_app(product: str, name: str, issuer: str) -> None:
    assert issuer_of(product, replace(APP, name=name)) == issuer
