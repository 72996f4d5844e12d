"""A shop with an account in it."""

import pytest

from tests.dialects.careyshop.shop import Shop
from tests.harness import Harness


@pytest.fixture
async def shop(harness: Harness) -> Shop:
    await harness.add_account(username="alice1", phone="13800000001", password="Passw0rd!")
    return Shop(harness)
