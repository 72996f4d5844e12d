"""Each message holds the app that it is sent for, and its words are those of that app."""

from __future__ import annotations

from pathlib import Path

from menshen.core.delivery.messages import Channel, Template
from menshen.core.problems import Denied
from menshen.core.time import MINUTE
from menshen.flows.admin.accounts import set_account_password
from tests.harness import Harness, open_harness
from tests.wire.weidu.client import PASSWORD, Client

PHONE = "13544285663"


async def answer_all(h: Harness) -> list[tuple[Template, str]]:
    return [(message.template, message.app) for message in await h.messages()]


async def test_codes_and_notices_hold_the_app_of_the_request(harness: Harness) -> None:
    await harness.add_app("shop", host="shop.example", appkey="22222222")
    await harness.add_account("alice1", phone=PHONE, email="alice@b.example", password=PASSWORD)
    shop = Client(harness, base_url="http://shop.example")
    await shop.log_in("alice1")
    await shop.code(PHONE, "proof")
    await shop.post("/users/password", old_password=PASSWORD, password="another good secret")
    harness.clock.advance(MINUTE)
    await Client(harness).code(PHONE, "login")
    assert await answer_all(harness) == [
        (Template.CODE_PROOF, "shop"),
        (Template.PASSWORD_CHANGED, "shop"),
        (Template.CODE_LOGIN, "default"),
    ]


async def test_the_notice_of_an_operator_has_the_texts_of_all_apps(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    ports = harness.assembled.ports
    done = await set_account_password(
        "alice1", "another good secret", harness.app, store=harness.store, hasher=ports.hasher, world=ports.world,
        keyring=ports.keyring, policy=ports.policy, blocklist=ports.blocklist,
    )  # fmt: skip
    assert not isinstance(done, Denied)
    assert await answer_all(harness) == [(Template.PASSWORD_CHANGED, "")]


async def test_a_running_installation_has_the_texts_of_its_settings(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "zh-CN.toml").write_text('[sms]\ncode_login = "{product}的{code}"\n', "utf-8")
    (folder / "default.zh-CN.toml").write_text('[subject]\ncode_login = "{code}"\n', "utf-8")
    environ = {"MENSHEN_TEXTS__PRODUCT": "门神", "MENSHEN_TEXTS__FOLDER": str(folder)}
    async with open_harness(tmp_path, environ) as h:
        await Client(h).code(PHONE, "login")
        (message,) = await h.messages()
        words = h.assembled.texts.render(message)
        assert (message.channel, words.text) == (Channel.SMS, f"【门神】门神的{message.code}")
