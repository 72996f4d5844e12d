"""The real PgBouncer before the tests' PostgreSQL: on loopback, with a configuration of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.programs import find
from tests.postgres import USER, PostgresServer
from tests.server import free_port

STARTS_WITHIN = 60.0

CONFIGURATION = """[databases]
* = host={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
max_client_conn = 500
default_pool_size = 100
"""


@contextmanager
def pooler(server: PostgresServer, mode: str, *lines: str, port: int = 0) -> Iterator[int]:
    """Its port, a free one for 0; `mode` is its pool_mode, and `lines` are added to its configuration."""
    # PgBouncer refuses root too, and its socket folder is closed to others.
    folder = Path(tempfile.mkdtemp(prefix="menshen-pooler-", dir="/tmp"))
    port = port or free_port()
    (folder / "users").write_text(f'"{USER}" ""\n')
    text = CONFIGURATION.format(server=server.folder, port=port, folder=folder, mode=mode)
    (folder / "ini").write_text(text + "\n".join(lines))
    command = [find("pgbouncer"), str(folder / "ini")]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for place in (folder, *folder.iterdir()):
            os.chown(place, nobody.pw_uid, nobody.pw_gid)
        command[1:1] = ["-u", "nobody"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
    try:
        _wait(process, port, folder / "log")
        yield port
    finally:
        process.kill()
        process.wait(60)
        shutil.rmtree(folder)


def through(port: int, url: str) -> str:
    """The address of the same database through the pooler on `port`."""
    name = url.partition("@/")[2].partition("?")[0]
    return f"postgresql://{USER}@127.0.0.1:{port}/{name}"


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up:
                raise AssertionError(f"PgBouncer does not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
