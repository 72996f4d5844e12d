"""A started server for each test module, with one account that has a username and a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server, running

PASSWORD = "Zk12345678"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("end_to_end")
    with running(folder / "data") as made:
        made.menshen(
            "account", "add", "--username", "dnyz529", "--phone", "13544285663", "--verified", "--password-stdin",
            stdin=PASSWORD,
        )  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def appkey(server: Server) -> str:
    import json

    apps = json.loads(server.menshen("app", "list", "--json"))
    return str(next(app["appkey"] for app in apps if app["name"] == "default"))
