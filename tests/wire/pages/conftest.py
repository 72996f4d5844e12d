"""Give the tests of pages an installation whose app has some."""

from __future__ import annotations

import pytest

from tests.harness import Harness
from tests.wire.pages.members import PASSWORD, PHONE, Person, log_in, open_pages


@pytest.fixture
async def pages(harness: Harness) -> Harness:
    """An installation with pages, and one account."""
    await open_pages(harness)
    await harness.add_account("alice_1", phone=PHONE, email="alice@mail.example", password=PASSWORD)
    return harness


@pytest.fixture
async def alice(pages: Harness) -> Person:
    """The browser of that account's owner."""
    return await log_in(pages)
