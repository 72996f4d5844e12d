"""What the tests do: import, log in, call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from menshen.adapters.importing.careyshop import CareyShopDump
from menshen.core.account.accounts import Account
from menshen.core.moving_in import Fate, RecordKind
from menshen.flows.moving_in.source import Report, import_source
from tests.adapters.importing import shop
from tests.adapters.importing.writing import dump_of
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop

MARIADB = Path(__file__).with_name("mariadb.sql.gz")
"""By MariaDB 10.11.19 (Debian 12), dump program 10.19; made by make_mariadb_dump.py."""

APPKEY, SECRET = "88888888", "0123456789abcdef0123456789abcdef"


async def take_in(
    home: Harness, path: Path = MARIADB, *, source: str = "careyshop", trust_mobiles: bool = False, **ports: Any
) -> Report:
    report = Report()
    dump = CareyShopDump(path, "cs_", trust_mobiles, lambda _: None)
    given = {"store": home.store, "world": home.clock} | ports
    await import_source(dump, source, "careyshop", report, **given)
    return report


def write_dump(
    folder: Path, users: Sequence[Mapping[str, Any]], tokens: Sequence[Mapping[str, Any]] = (), apps: Any = ()
) -> Path:
    path = folder / "shop.sql"
    path.write_text(dump_of({"cs_user": users, "cs_token": tokens, "cs_app": apps}), "utf-8", newline="")
    return path


async def account(home: Harness, number: int) -> Account:
    found = await home.store.read.accounts.find(number)
    assert found is not None
    return found


async def login(home: Harness, username: str, password: str = shop.PASSWORD, platform: str = "pc") -> Any:
    """The careyshop dialect's answer to an app that came with the dump."""
    return await call(home, "login.user.user", username=username, password=password, platform=platform)


async def call(home: Harness, method: str, token: str | None = None, **more: Any) -> Any:
    """A call of an app that came with the dump."""
    return await Shop(home).call(method, token=token, appkey=APPKEY, secret=SECRET, **more)


async def verified(home: Harness, token: str) -> str | None:
    """The account number of a token at GET /auth/verify, None when it is refused."""
    answer = await home.client.get("/auth/verify", headers={"authorization": f"Bearer {token}"})
    return answer.headers["x-account-number"] if answer.status_code == 204 else None


def counts(report: Report, kind: RecordKind) -> tuple[int, int, int]:
    """Taken, seen before, left out."""
    return (
        report.fates[kind, Fate.TAKEN],
        report.fates[kind, Fate.SEEN_BEFORE],
        report.fates[kind, Fate.LEFT_OUT],
    )
