"""Several servers that start together on nothing: one makes the schema, the keys and the first app, all serve."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.server import Server


def ready(node: Server) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            if node.call("GET", "/readyz").status == 200:
                return
        except OSError:
            pass
        assert node.process.poll() is None, node.log.read_text()[-2000:]
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("workers", [1, 2])
def test_four_at_once(tmp_path: Path, postgres_url: str, store: str, workers: int) -> None:
    site = Site(tmp_path / "data", postgres_url if store == "postgresql" else "")
    try:
        nodes = [site.launch("--workers", str(workers)) for _ in range(4)]
        for node in nodes:
            ready(node)
        apps = json.loads(nodes[0].menshen("app", "list", "--json"))
        assert [app["name"] for app in apps] == ["default"]
        assert site.rows("SELECT count(*) FROM alembic_version") == [(1,)]
        # One key for all: what one seals and signs, the others open.
        assert len({node.menshen("app", "show", "default", "--secret", "--json") for node in nodes}) == 1
        for node in nodes:
            assert node.stop() == 0
    finally:
        site.close()
