"""A server whose settings take receipts, and the pushes of its vendors."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from prometheus_client import REGISTRY

from menshen.core.delivery.messages import Channel, Message, StoredMessage, Template, Try
from menshen.core.delivery.receipts import push_path
from menshen.core.outward.signatures.twilio import signature
from tests.harness import BASE, KEYRING, Harness, open_harness

KEY, TOKEN = "k-5f2d1c9a7b", "0123456789abcdef0123456789abcdef"
SID = "SM" + "0" * 32
TEMPLATED = {"templates": {"default": "SMS_1"}, "access_key_id": "LTAI0000000000", "access_key_secret": "s" * 30}
SENDERS: list[dict[str, Any]] = [
    {"name": "home", "type": "specimen", "access_key": KEY, "sender": "Menshen"},
    {"name": "main", "type": "aliyun", "sign_name": "门神测试", **TEMPLATED},
    {"name": "abroad", "type": "twilio", "account_sid": "AC" + "0" * 32, "auth_token": TOKEN, "from": "+14155550100"},
    {"name": "silent", "type": "outbox"},
]
ENVIRON = {"MENSHEN_SMS__RECEIPTS": "true", "MENSHEN_SMS__SENDERS": json.dumps(SENDERS)}


def path(sender: str) -> str:
    return push_path(sender, KEYRING.receipt_secret(sender))


@dataclass
class Desk:
    """What a test holds in its hands."""

    harness: Harness

    async def sent(self, sender: str, receipt: str, to: str = "+8613800138001") -> int:
        """A message that a sender took, as its vendor calls it. Return its number."""
        store, now = self.harness.store, self.harness.clock.now()
        message = Message(Channel.SMS, to, Template.CODE_LOGIN, "zh", now, code="482913")
        self.harness.canary.learn("code", message.code)
        number = await store.write(lambda tx: tx.outbox.put(message))
        tried = Try(number, sender, now)
        assert await store.write(lambda tx: tx.outbox.claim(tried))
        assert await store.write(lambda tx: tx.outbox.mark_sent(tried, now, receipt=receipt))
        return int(number)

    async def rows(self) -> list[StoredMessage]:
        return list(await self.harness.store.read.outbox.list_all())

    async def outcomes(self) -> list[str]:
        return [row.outcome for row in await self.rows()]

    async def push(
        self, where: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> httpx.Response:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        return await self.harness.client.request(method, where, content=body, headers=raw)

    async def push_home(self, told: Mapping[str, Any], **more: Any) -> httpx.Response:
        """Push to the specimen, signed."""
        body = json.dumps(told).encode()
        headers = {"x-vendor-signature": signed(f"{BASE}{path('home')}", body)}
        return await self.push(path("home"), body, headers | more.pop("headers", {}), **more)

    async def push_main(self, *items: Mapping[str, Any]) -> httpx.Response:
        """Push to Aliyun, which signs nothing."""
        return await self.push(path("main"), json.dumps(items).encode())


def signed(url: str, body: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), url.encode() + body, "sha256").hexdigest()


def aliyun(receipt: str, *, success: bool = True, code: str = "DELIVERED") -> dict[str, Any]:
    return {"phone_number": "13800138001", "success": success, "err_code": code, "biz_id": receipt, "sms_size": "1"}


def twilio(url: str, form: Mapping[str, str], token: str = TOKEN) -> tuple[bytes, dict[str, str]]:
    """The body of a push of Twilio, and its headers."""
    headers = {
        "x-twilio-signature": signature(token, url, form.items()),
        "content-type": "application/x-www-form-urlencoded",
    }
    return urlencode(form).encode(), headers


def counted(sender: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("menshen_sms_receipts_total", {"sender": sender, "outcome": outcome}) or 0


@asynccontextmanager
async def open_desk(tmp_path: Path, environ: Mapping[str, str] | None = None) -> AsyncIterator[Desk]:
    async with open_harness(tmp_path, {**ENVIRON, **(environ or {})}) as harness:
        yield Desk(harness)
