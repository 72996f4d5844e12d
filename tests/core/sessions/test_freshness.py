"""Whose proof is fresh enough for a change. (docs/contracts/factors.md section 8.)"""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import App, SecondFactorRule
from menshen.core.factors.freshness import has_fresh_proof, lacks_factor
from menshen.core.sessions.sessions import FRESH_FOR, Session
from menshen.core.time import DAY, NEVER, Instant, after

NOW = Instant(1_795_219_200_000)
OLD = Instant(NOW - FRESH_FOR)
NEW = after(OLD, 1)
LAX = App(1, "lax", "11111111", "s", second_factor=SecondFactorRule.OFF)
STRICT = replace(LAX, second_factor=SecondFactorRule.REQUIRED)
EDITORS = replace(LAX, second_factor=SecondFactorRule.REQUIRED_FOR, required_for_roles="editor admin")
PLAIN, EDITOR = Account(1, "id", roles="general_user"), Account(2, "id", roles="general_user editor")


def session(proved: Instant, second: Instant, level: int = 1) -> Session:
    return Session(
        "s", 1, 1, "weidu", "weidu", None, "", "", "", "192.0.2.1", NOW, NOW, proved, after(NOW, DAY), after(NOW, DAY),
        0, level=level, second_at=second,
    )  # fmt: skip


@pytest.mark.attack("PK-5")
@pytest.mark.parametrize(
    ("account", "app", "level", "needs"),
    [
        (PLAIN, LAX, 1, False),
        (PLAIN, LAX, 2, False),
        # The account's own choice holds at each app.
        (replace(PLAIN, second_step=True), LAX, 1, True),
        (replace(PLAIN, second_step=True), LAX, 2, True),
        (replace(PLAIN, second_step=True), STRICT, 1, True),
        # A session from before the rule has no factor to prove.
        (PLAIN, STRICT, 1, False),
        (PLAIN, STRICT, 2, True),
        (PLAIN, EDITORS, 2, False),
        (EDITOR, EDITORS, 1, False),
        (EDITOR, EDITORS, 2, True),
    ],
)
def test_who_has_a_factor_proves_it_and_nothing_less(account: Account, app: App, level: int, needs: bool) -> None:
    for proved, second in ((OLD, NEVER), (OLD, OLD), (NEW, NEVER), (NEW, OLD), (NEW, NEW)):
        one = session(proved, second, level)
        fresh = second == NEW if needs else proved == NEW
        assert has_fresh_proof(account, one, app, NOW) is fresh
        assert lacks_factor(account, one, app, NOW) is (needs and second != NEW)
