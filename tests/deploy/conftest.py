"""Two nodes on PostgreSQL, an app, and each of the proxies before them: started once, real processes all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy import upstream
from tests.deploy.fronts import LOGIN, Front, before
from tests.faults.site import Site, settled
from tests.patience import PATIENT
from tests.postgres import PostgresServer

ACCOUNTS = 6


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Site]:
    environ = PATIENT | {
        "MENSHEN_SERVER__TRUSTED_PROXIES": "1",
        "MENSHEN_SERVER__HOSTS": f'["{LOGIN}"]',
        # What deploy/compose.yaml says: the proxies that ask /readyz hear of it before the door closes.
        "MENSHEN_SERVER__NOTICE_SECONDS": "4",
    }
    folder = tmp_path_factory.mktemp("deployed")
    with settled(folder, postgres_server.create(), ACCOUNTS, **environ) as made:
        made.start()
        made.start()
        yield made


@pytest.fixture(scope="session", params=["nginx", "caddy"])
def front(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with (
        upstream.telling() as app,
        before(request.param, site.nodes[:2], app, tmp_path_factory.mktemp("front")) as made,
    ):
        yield made
