"""A started server with one account, its weidu document, and where the generators are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.generators import Tools
from tests.server import Server, running

ROOT = Path(__file__).parents[2]
USERNAME, PASSWORD = "ken_88", "correct horse battery"


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The environment that `make clients-test` installed."""
    bin_ = ROOT / ".venv-clients" / "bin"
    assert (bin_ / "openapi-python-client").exists(), "run `make clients-test`: it installs the generators"
    return Tools(bin_, ROOT / ".venv-clients" / "npm")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server") / "data") as made:
        made.menshen("account", "add", "--username", USERNAME, "--password-stdin", stdin=PASSWORD)
        yield made


@pytest.fixture(scope="session")
def document(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `menshen openapi` prints, which is also what the server gives."""
    text = server.menshen("openapi", "--dialect", "weidu")
    assert json.loads(text) == server.call("GET", "/openapi/weidu.json").json()
    path = tmp_path_factory.mktemp("document") / "weidu.json"
    path.write_text(text, "utf-8")
    return path
