import pytest

from tests.wire.weidu.paper import Paper


@pytest.fixture
def paper() -> Paper:
    return Paper()
