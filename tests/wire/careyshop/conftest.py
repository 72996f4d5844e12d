"""A shop with an account in it."""

import pytest

from tests.harness import Harness
from tests.wire.careyshop.shop import Shop


@pytest.fixture
async def shop(harness: Harness) -> Shop:
    await harness.add_account(username="alice1", phone="13800000001", password="Passw0rd!")
    return Shop(harness)
