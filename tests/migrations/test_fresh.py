"""The ready text for an empty database is what Alembic renders today."""

import pytest

from menshen.storage.sql.migrate import FRESH
from menshen.storage.sql.rendering import render


@pytest.mark.parametrize("dialect", list(FRESH))
def test_the_ready_text_is_what_the_revisions_say(dialect: str) -> None:
    ready = FRESH[dialect].read_text("utf-8")
    assert ready == render(dialect, None), "a revision changed: run python -m menshen.storage.sql.rendering"
