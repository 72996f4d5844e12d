"""Start the protocol alone, without the rest of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.wire.http.site import Start, starting


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    async with starting() as begin:
        yield begin
