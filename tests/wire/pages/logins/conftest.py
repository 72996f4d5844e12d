"""Give the tests of login, sign-up and reset an app with pages and terms, and a visitor."""

from __future__ import annotations

import pytest

from tests.harness import Harness
from tests.wire.pages.logins.people import Site


@pytest.fixture
async def site(harness: Harness) -> Site:
    """An app whose pages ask for consent to terms."""
    made = Site(harness)
    await made.settle()
    return made
