"""kill -9 in the middle: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import http.client
import itertools
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.clients import carey_login, verified
from tests.server import start

CLIENTS = 16
ACKNOWLEDGED = 60
"""So many at least before the kill."""


@pytest.mark.sqlite_file
def test_every_acknowledged_session_survives_a_kill_and_nothing_is_half_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = start(data)
    try:
        server.menshen("account", "add", "--username", "victim01", "--password-stdin", stdin="a fine pass")
        appkey = next(
            a["appkey"] for a in json.loads(server.menshen("app", "list", "--json")) if a["name"] == "default"
        )
        acknowledged: list[str] = []
        enough = threading.Event()

        def log_in_until_cut(first: int) -> None:
            for number in itertools.count(first, CLIENTS):
                try:
                    answer = carey_login(server, appkey, "victim01", "a fine pass", f"platform {number}")
                except (OSError, http.client.HTTPException, ValueError):
                    return
                if answer["status"] == 200:
                    acknowledged.append(answer["data"]["token"]["token"])
                    if len(acknowledged) >= ACKNOWLEDGED:
                        enough.set()

        with ThreadPoolExecutor(CLIENTS) as pool:
            futures = [pool.submit(log_in_until_cut, first) for first in range(CLIENTS)]
            try:
                assert enough.wait(60)
                assert not any(future.done() for future in futures), "a login was cut before the kill"
            finally:
                server.kill()
            for future in futures:
                future.result()
        server = start(data)
        assert all(verified(server, token) for token in acknowledged)
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.kill()
    with closing(sqlite3.connect(data / "menshen.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        sessions = {row[0] for row in database.execute("SELECT session_id FROM sessions")}
        audited = {row[0] for row in database.execute("SELECT session_id FROM audit WHERE tag = 'login.succeeded'")}
        assert sessions == audited
