"""Accounts of each kind that a login can meet."""

from __future__ import annotations

from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD

PHONE, NOBODYS_PHONE = "13544285663", "13544285664"
BCRYPT = "$2b$04$abcdefghijklmnopqrstuuA9o2rAHI1LaHHhGWvfx1GcNQVB3nIIq"


async def add_each_kind(h: Harness) -> None:
    """Add an active, a disabled, an imported account, one without a password, and one with unproved claims."""
    await h.add_account("alice1", phone=PHONE, email="alice@b.example", password=PASSWORD)
    await h.add_account("disabled1", password=PASSWORD)
    await h.disable("disabled1")
    await h.add_account("codeonly1", phone="13800138000")
    await h.add_account("claimed1", phone="13544285699", email="x@b.example", password=PASSWORD, verified=False)
    old = await h.add_account("old1")
    stored = "careyshop$56cfa86be43299fb5e25e1ec6160c7d1"
    await h.store.write(lambda tx: tx.accounts.set_password(old.number, stored, now=h.clock.now()))
