import pytest

from tests.dialects.weidu.paper import Paper


@pytest.fixture
def paper() -> Paper:
    return Paper()
