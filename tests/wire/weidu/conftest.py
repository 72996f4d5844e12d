import pytest

from tests.wire.weidu.scripted import ScriptedWeidu


@pytest.fixture
def script() -> ScriptedWeidu:
    return ScriptedWeidu()
