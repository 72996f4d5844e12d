"""Writes `mariadb.sql.gz` anew: a real MariaDB's dump of the shop in `shop.py`. Run by hand, never by the tests.

    apt-get install --no-install-recommends mariadb-server
    python -m tests.adapters.importing.make_mariadb_dump

It starts a server of its own in a temporary folder, reachable by a socket there only, and stops it again.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.adapters.importing import shop

DUMP = Path(__file__).with_name("mariadb.sql.gz")


def literal(value: Any) -> str:
    """Hexadecimal, so that nothing here depends on the escapes that are to be tested."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return str(value) if isinstance(value, int) else f"_utf8mb4 x'{value.encode().hex()}'"


def insert(table: str, row: Mapping[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(map(literal, row.values()))});\n"


def script() -> str:
    rows = [
        *(insert("cs_app", row) for row in shop.APPS),
        *(insert("cs_blob", row) for row in shop.BLOBS),
        *(insert("cs_token", row) for row in shop.TOKENS),
        *(insert("cs_user", row) for row in shop.USERS),
    ]
    trigger = f"DELIMITER //\n{shop.TRIGGER.strip()} //\nDELIMITER ;\n"
    return f"SET NAMES utf8mb4; SET sql_mode='';\n{shop.TABLES}{''.join(rows)}{trigger}"


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="menshen-mariadb-", dir="/tmp"))
    socket, data = folder / "socket", folder / "data"
    user = [f"--user={'root' if os.geteuid() == 0 else ''}"] if os.geteuid() == 0 else []
    own = ["--no-defaults"]
    subprocess.run(
        ["mariadb-install-db", *own, f"--datadir={data}", "--auth-root-authentication-method=normal", *user],
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        ["mariadbd", *own, f"--datadir={data}", f"--socket={socket}", "--skip-networking", *user],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = ["mariadb", *own, f"--socket={socket}", "--user=root"]
        while subprocess.run([*client, "-e", "SELECT 1"], check=False, capture_output=True).returncode:
            time.sleep(0.1)
        subprocess.run([*client, "-e", "CREATE DATABASE shop"], check=True)
        subprocess.run([*client, "shop"], input=script().encode(), check=True)
        dump = subprocess.run(
            ["mariadb-dump", *own, f"--socket={socket}", "--user=root", "--skip-dump-date", "shop"],
            check=True,
            capture_output=True,
        ).stdout
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
    DUMP.write_bytes(gzip.compress(dump, mtime=0))
    print(f"{DUMP.name}: {len(dump)} bytes of SQL")


if __name__ == "__main__":
    main()
