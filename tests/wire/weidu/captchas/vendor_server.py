"""Play the vendor of the specimen on loopback, for servers whose settings name it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from menshen.core.time import SECOND
from tests.harness import START

SECRET, HOST, NAME = "vendor-secret-9Qx4", "www.shop.example", "main"
PASSES = {"success": True, "hostname": HOST, "action": "login", "solved_at": START // SECOND}
FAILS = {"success": False, "errors": ["token-used"]}


@dataclass
class VendorServer:
    """Answer each question with `answer`, or not at all where it is None. `asked` keeps the forms."""

    port: int = 0
    answer: dict[str, Any] | None = field(default_factory=lambda: dict(PASSES))
    asked: list[dict[str, str]] = field(default_factory=list)

    def environ(self, **terms: Any) -> dict[str, str]:
        """Give the settings that name this vendor."""
        table = {
            "name": NAME, "type": "specimen", "secret": SECRET, "endpoint": f"http://127.0.0.1:{self.port}/verify",
            "hosts": [HOST], "action": "login", **terms,
        }  # fmt: skip
        return {"MENSHEN_CAPTCHA__VENDORS": json.dumps([table])}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        form = parse_qs((await reader.readexactly(length)).decode())
        self.asked.append({name: values[0] for name, values in form.items()})
        if self.answer is not None:
            body = json.dumps(self.answer).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def vendor_server() -> AsyncIterator[VendorServer]:
    """Serve while the block runs."""
    vendor = VendorServer()
    async with await asyncio.start_server(vendor.serve, "127.0.0.1", 0) as server:
        vendor.port = server.sockets[0].getsockname()[1]
        yield vendor
