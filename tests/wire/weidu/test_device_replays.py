"""A request that comes twice with one hmac sign: over the wire, and what stays of it in the database."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.adapters.storage.sql.repositories.upkeep import KEPT_BEHIND_END
from menshen.core.apps import DeviceSign
from menshen.core.sessions.devices import MAX_SKEW_MS, sign_device
from menshen.core.time import SECOND
from tests.attacks.rows import tables
from tests.harness import Harness
from tests.wire.weidu.client import OK, PASSWORD, Client, said


async def hmac_app(harness: Harness) -> None:
    await harness.change_app(device_sign=DeviceSign.HMAC, hardened=True)
    await harness.add_account("alice1", password=PASSWORD)


def device(harness: Harness) -> dict[str, Any]:
    at = harness.clock.now() // SECOND
    sign = sign_device(harness.app, "phone", at)
    return {
        "device_id": "phone", "device_model": "P40", "device_name": "p", "timestamp": at, "device_sign": sign
    }  # fmt: skip


async def test_a_replay_hears_what_a_wrong_sign_hears(harness: Harness) -> None:
    await hmac_app(harness)
    held = device(harness)
    first = await Client(harness).log_in("alice1", **held)
    assert said(first) == OK
    again = await Client(harness, ip="203.0.113.5").log_in("alice1", **held)
    wrong = await Client(harness).log_in("alice1", **{**held, "device_sign": "0" * 64})
    assert said(again) == said(wrong) == (403, "device_sign_invalid")
    assert again.content == wrong.content
    # The session of the one that came first lives on; a sign of its own is all that the next needs.
    bearer = {"authorization": f"Bearer {first.headers['token']}"}
    assert (await harness.client.get("/auth/verify", headers=bearer)).status_code == 204
    harness.clock.advance(SECOND)
    assert said(await Client(harness).log_in("alice1", **device(harness))) == OK


@pytest.mark.sqlite_file
async def test_a_spent_sign_is_kept_until_its_time_refuses_it(harness: Harness) -> None:
    await hmac_app(harness)
    held = device(harness)
    assert said(await Client(harness).log_in("alice1", **held)) == OK

    async def sweep() -> list[str]:
        now = harness.clock.now()
        await harness.store.write(lambda tx: tx.upkeep.sweep(now, audit_days=180, batch=100))
        return [str(row[0]) for row in tables(harness.data_dir)["captcha_nonces"]]

    (mark,) = await sweep()
    assert held["device_sign"] not in mark
    harness.clock.advance(MAX_SKEW_MS)
    assert len(await sweep()) == 1
    assert said(await Client(harness).log_in("alice1", **held)) == (403, "device_sign_invalid")
    harness.clock.advance(SECOND)
    assert said(await Client(harness).log_in("alice1", **held)) == (400, "timestamp_skewed")
    harness.clock.advance(KEPT_BEHIND_END)
    assert await sweep() == []


@pytest.mark.sqlite_file
@pytest.mark.parametrize("scheme", [DeviceSign.MD5, DeviceSign.MD5_SHA256])
async def test_other_signs_are_good_again(harness: Harness, scheme: DeviceSign) -> None:
    """They are compatibility: nothing is kept of them, and nothing is trusted because one fits."""
    await hmac_app(harness)
    await harness.change_app(device_sign=scheme)
    held = device(harness)
    for _ in range(2):
        assert said(await Client(harness).log_in("alice1", **held)) == OK
    assert tables(harness.data_dir)["captcha_nonces"] == []
