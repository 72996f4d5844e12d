"""Several servers that start together on nothing: one makes the schema, the keys and the first app, all serve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.faults.waiting import wait_until
from tests.patience import PATIENT
from tests.server import Server


def ready(node: Server) -> None:
    """Wait until it is."""

    def is_ready() -> bool:
        try:
            if node.call("GET", "/readyz").status == 200:
                return True
        except OSError:
            pass
        assert node.process.poll() is None, node.log.read_text()[-2000:]
        return False

    wait_until(is_ready, every=0.05)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("workers", [1, 2])
def test_four_at_once(tmp_path: Path, postgres_url: str, store: str, workers: int) -> None:
    site = Site(tmp_path / "data", postgres_url if store == "postgresql" else "", dict(PATIENT))
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
