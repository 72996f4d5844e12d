"""The session list shows what older rows say of themselves, and nothing that moves or turns a line."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from menshen.core.plain_text import is_plain
from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD, Client


@pytest.mark.sqlite_file
async def test_names_of_older_rows_are_shown_plain(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1", device_id="d-1", device_name="阿肯的手机")
    names = ("device_id", "device_model", "device_name", "platform")

    async def listed() -> dict[str, str]:
        (line,) = (await client.get("/users/sessions")).json()["sessions"]
        return {name: line[name] for name in names}

    assert (await listed())["device_name"] == "阿肯的手机"
    with closing(sqlite3.connect(harness.data_dir / "menshen.db")) as connection:
        for name in names:
            connection.execute(f"UPDATE sessions SET {name} = ?", ("a\x1b[2J\u202eb",))
        connection.commit()
    for text in (await listed()).values():
        assert is_plain(text)
        assert text == "a\ufffd[2J\ufffdb"
