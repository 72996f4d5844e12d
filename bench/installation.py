"""Make the installations under test: an SQLite file or a durable PostgreSQL database with generated accounts.

The product's own store writes apps, codes and hashes; `bench.generate` writes accounts.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

from bench import generate, servers
from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.app.installation.opening import open_installation
from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.apps import App
from menshen.core.codes.one_time_codes import LIFETIME, CodeChallenge, CodeKey, Purpose
from menshen.core.time import after
from menshen.core.tokens import digest
from menshen.flows.codes.attempts import code_macs

APPS = 10
CODE = "482913"
CAPTCHA = "y" * 26
SECRET = "0123456789abcdef0123456789abcdef"
APPKEY = "71000000"
# Every account has its own /24, as real users do. With one network for all, its limits would refuse logins.
BEHIND_PROXY = {"MENSHEN_SERVER__TRUSTED_PROXIES": "1"}
USUAL, DEAR = Parameters(), Parameters(64 * 1024, 3)
"""The default, which is OWASP's minimum, and RFC 9106's second choice on one lane."""

Request = tuple[bytes, bytes]


@dataclass(frozen=True)
class Installation:
    """Hold a data folder whose server can be started, and make its clients' requests. Accounts count from 1."""

    name: str
    data: Path
    settings: dict[str, str]
    accounts: int
    app_ids: tuple[int, ...]

    @contextmanager
    def serving(self, workers: int = 1, more: dict[str, str] | None = None) -> Iterator[servers.Server]:
        port = servers.free_port()
        with servers.running(servers.menshen(self.data, port, workers), port, self.settings | (more or {})) as server:
            yield server

    # --- requests -----------------------------------------------------------------------------------------------------

    def checks(self, count: int, *, cookie: bool = False) -> list[Request]:
        """Return token checks of different weidu sessions over all accounts. No other row ends those sessions."""
        made = []
        for n in range(count):
            account = 1 + n * 7919 % self.accounts
            given = generate.token(account, 1 + n % (generate.SESSIONS - 1))
            line = f"Cookie: menshenAUTHTOKEN={given}" if cookie else f"Authorization: Bearer {given}"
            made.append((_get("/auth/verify", line), f"x-account-number: {account}\r\n".encode()))
        return made

    def weidu_logins(self, count: int) -> list[Request]:
        """Return password logins, each of another account from its device."""
        return [
            (
                _post("/weidu/api/v1/users/login", n, {
                    "login_id": generate.username(n), "password": generate.PASSWORD, "device_id": f"login-{n}",
                }),
                f'"id":"{generate.public_id(n)}"'.encode(),
            )
            for n in self._spread(count)
        ]  # fmt: skip

    def careyshop_logins(self, count: int) -> list[Request]:
        """Return password logins, each of another account on one platform."""
        return [
            (
                _post("/api/v1/user", n, {
                    "method": "login.user.user", "appkey": APPKEY, "username": generate.username(n),
                    "password": generate.PASSWORD, "platform": "login",
                }),
                f'"username":"{generate.username(n)}"'.encode(),
            )
            for n in self._spread(count)
        ]  # fmt: skip

    def sms_logins(self, count: int) -> list[Request]:
        """Return SMS logins with the codes of `put_codes`. Each code is valid once."""
        return [
            (
                _post("/weidu/api/v1/users/mobile/login", n, {
                    "login_id": generate.phone(n), "sms_code": CODE, "captcha_token": CAPTCHA,
                    "device_id": f"login-{n}",
                }, host=f"bench{app}.test"),
                f'"id":{n},'.encode(),
            )
            for app, n in self._code_places(count)
        ]  # fmt: skip

    def refreshes(self, pairs: list[tuple[int, str, str]]) -> list[Request]:
        """Return refreshes of (account, token, refresh). Each pair is valid once; the mark names the account."""
        made = []
        for account, token, refresh in pairs:
            fields = {"method": "refresh.user.token", "appkey": APPKEY, "token": token, "refresh": refresh}
            made.append((_post("/api/v1/user", account, fields | {"sign": _sign(fields)}), b'"refresh":"'))
        return made

    def first_pairs(self, count: int) -> list[tuple[int, str, str]]:
        """Return the generated CareyShop sessions: (account, token, refresh)."""
        return [(n, generate.token(n, 0), generate.refresh_token(n)) for n in range(1, min(count, self.accounts) + 1)]

    # --- data for the requests ----------------------------------------------------------------------------------------

    def put_codes(self, count: int) -> None:
        """Store a new code for each of `sms_logins(count)`."""

        async def put() -> None:
            async with open_installation(self.loaded(), SystemWorld()) as here:
                now, captcha = here.world.now(), digest(CAPTCHA)
                keys = [
                    CodeKey(self.app_ids[app], Purpose.LOGIN, f"+86{generate.phone(n)}")
                    for app, n in self._code_places(count)
                ]
                challenges = [
                    CodeChallenge(key, code_macs(here.keyring, key, CODE)[0], captcha, now, after(now, LIFETIME))
                    for key in keys
                ]
                for start in range(0, count, 1000):

                    async def work(tx: Any, lot: list[CodeChallenge] = challenges[start : start + 1000]) -> None:
                        for challenge in lot:
                            await tx.codes.put(challenge)

                    await here.store.write(work)

        asyncio.run(put())

    def most_codes(self, wanted: int) -> int:
        """Return how many codes can be valid at a time, at most `wanted`."""
        return min(wanted, self.accounts * len(self.app_ids))

    def loaded(self) -> Settings:
        return load_settings(None, self.settings, self.data)

    def _spread(self, count: int) -> list[int]:
        return [1 + n * 7919 % self.accounts for n in range(count)]

    def _code_places(self, count: int) -> list[tuple[int, int]]:
        """Return (app, account) of the n-th code."""
        return [(n // self.accounts % len(self.app_ids), 1 + n * 7919 % self.accounts) for n in range(count)]


def make_installation(name: str, data: Path, accounts: int, url: str = "", cost: Parameters = USUAL) -> Installation:
    """Make an installation with accounts whose passwords are hashed at `cost`."""
    hashing = {"MENSHEN_HASH__MEMORY_KIB": str(cost.memory_kib), "MENSHEN_HASH__PASSES": str(cost.passes)}
    given = BEHIND_PROXY | hashing | ({"MENSHEN_STORAGE__URL": url} if url else {})
    settings = load_settings(None, given, data)
    hasher = Argon2idHasher(cost, threads=1)

    async def prepare() -> tuple[tuple[int, ...], str, int]:
        async with open_installation(settings, SystemWorld()) as here:
            apps = [App(0, f"bench{n}", str(int(APPKEY) + n), SECRET, host=f"bench{n}.test") for n in range(APPS)]
            added = [await here.store.write(lambda tx, app=app: tx.apps.add(app)) for app in apps]
            stored = await hasher.hash(generate.PASSWORD.encode())
            return tuple(app.app_id for app in added), stored, here.world.now()

    app_ids, stored, now = asyncio.run(prepare())
    generate.fill(settings, accounts, app_id=app_ids[0], password_hash=stored, now=now)
    return Installation(name, data, given, accounts, app_ids)


def _network(account: int) -> str:
    return f"{11 + account // 65536 % 80}.{account // 256 % 256}.{account % 256}.9"


def _get(path: str, line: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{line}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n".encode()


def _post(path: str, account: int, fields: dict[str, str], host: str = "127.0.0.1") -> bytes:
    body = json.dumps(fields).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: {_network(account)}\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _sign(fields: dict[str, str]) -> str:
    joined = "".join(name + fields[name] for name in sorted(fields))
    return md5(f"{SECRET}{joined}{SECRET}".encode()).hexdigest()
