"""Text messages handed to an address of your own, which speaks to the carrier.

One POST for each message, JSON, signed: `X-Menshen-Signature` is the hex HMAC-SHA256 of the timestamp header, a dot
and the body. Any 2xx accepts it. Your side must answer each `id` once: the same id means the same message.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from menshen.core.codes.messages import Message
from menshen.core.time import SECOND
from menshen.delivery.texts import body_of
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown

_MOST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """`url` is http(s), `timeout` in seconds for each step of the exchange."""

    url: str
    secret: str = field(repr=False)
    timeout: float = 10.0


class WebhookSender:
    """`menshen.ports.delivery.Sender` for text messages."""

    def __init__(self, settings: WebhookSettings) -> None:
        """Nothing is connected before the first message; redirects are never followed."""
        self._settings = settings
        self._address = urlsplit(settings.url)
        self._tls = ssl.create_default_context() if self._address.scheme == "https" else None

    async def send(self, message: Message) -> None:
        # The standard library's client on a thread: a login server sends few, and a slow carrier holds up nobody.
        await asyncio.to_thread(self._post, message)

    def _post(self, message: Message) -> None:
        body, headers = self._request(message)
        connection = self._connection()
        try:
            try:
                connection.connect()
            except (OSError, ssl.SSLError) as error:
                raise DeliveryFailed(type(error).__name__) from error
            try:
                target = (self._address.path or "/") + (f"?{self._address.query}" if self._address.query else "")
                connection.request("POST", target, body, headers)
                answer = connection.getresponse()
                answer.read(_MOST_ANSWER)
            except (OSError, http.client.HTTPException) as error:
                # It was on its way: whether it arrived, the other side alone knows.
                raise DeliveryUnknown(type(error).__name__) from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            # 429 and 503 say that nothing was taken on; any other word leaves that open.
            failure = DeliveryFailed if answer.status in {429, 503} else DeliveryUnknown
            raise failure(f"HTTP {answer.status}")

    def _request(self, message: Message) -> tuple[bytes, dict[str, str]]:
        told = {
            "id": hashlib.sha256(f"{message.to}|{message.created_at}|{message.template}".encode()).hexdigest()[:32],
            "to": message.to,
            "template": message.template.value,
            "language": message.language,
            "code": message.code,
            "detail": message.detail,
            "text": body_of(message),
        }
        body = json.dumps(told, ensure_ascii=False).encode()
        stamp = str(message.created_at // SECOND)
        signature = hmac.new(self._settings.secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
        return body, {
            "Content-Type": "application/json; charset=utf-8",
            "X-Menshen-Timestamp": stamp,
            "X-Menshen-Signature": signature,
        }

    def _connection(self) -> http.client.HTTPConnection:
        host, port, timeout = self._address.hostname or "", self._address.port, self._settings.timeout
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)
