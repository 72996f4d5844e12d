"""`menshen outbox` shows what people read, by the texts of the settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

from menshen.app.installation.opening import open_installation
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.time import Instant
from menshen.ports.store.store import WriteTx
from tests.cli.conftest import Menshen

MESSAGES = [
    Message(channel, to, Template.CODE_LOGIN, "en", Instant(1_795_219_200_000), "040719", app="shop")
    for channel, to in ((Channel.SMS, "+8613800138000"), (Channel.EMAIL, "a@x.com"))
]


def put(data: Path) -> None:
    async def run() -> None:
        async def work(tx: WriteTx) -> None:
            for message in MESSAGES:
                await tx.outbox.put(message)

        async with open_installation(load_settings(None, {}, data), SystemWorld()) as found:
            await found.store.write(work)

    asyncio.run(run())


def test_the_outbox_shows_the_words_that_people_read(menshen: Menshen, data: Path, tmp_path: Path) -> None:
    menshen("migrate")
    put(data)
    config, texts = tmp_path / "menshen.toml", tmp_path / "texts"
    config.write_text("[texts]\nproduct = 'Door'\nfolder = 'texts'\n", "utf-8")
    texts.mkdir()
    (texts / "shop.en.toml").write_text("[subject]\ncode_login = 'Welcome'\n", "utf-8")
    sms, mail = menshen("outbox", "--json", "--config", str(config)).json()
    assert (sms["app"], sms["subject"]) == ("shop", "")
    assert sms["text"] == "【Door】040719 is your code to log in. It is valid for 5 minutes. Tell nobody."
    assert (mail["subject"], mail["text"].split("\n")[0]) == ("Welcome", "Hello, 040719 is your code to log in.")

    # A text that got a fault since the start is not used. `menshen check` tells of it.
    (texts / "shop.en.toml").write_text("[subject]\ncode_login = '{x}'\n", "utf-8")
    _, mail = menshen("outbox", "--json", "--config", str(config)).json()
    assert mail["subject"] == "Your code to log in"
    refused = menshen("check", "--config", str(config))
    assert refused.code == 1
    assert "shop.en.toml [subject] code_login: has {x}" in refused.err
