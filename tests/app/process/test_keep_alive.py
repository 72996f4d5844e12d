"""Idle connections of a started server: they stay open as long as the settings say."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.server import running


@pytest.mark.parametrize(("setting", "kept"), [("1", False), ("60", True)])
def test_an_idle_connection_is_kept_as_long_as_set(tmp_path: Path, setting: str, kept: bool) -> None:
    """A balancer that keeps it longer would send a request into a connection that closes."""
    with running(tmp_path / "data", environ={"MENSHEN_SERVER__KEEP_ALIVE_SECONDS": setting}) as server:
        connection = http.client.HTTPConnection(*server.address, timeout=60)
        connection.connect()
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        # Longer than the 5 s of uvicorn itself.
        connection.sock.settimeout(7 if kept else 60)
        if kept:
            with pytest.raises(TimeoutError):
                connection.sock.recv(1)
        else:
            assert connection.sock.recv(1) == b""
        connection.close()
