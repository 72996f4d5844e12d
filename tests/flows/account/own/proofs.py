"""Sessions that prove less than a change needs."""

from __future__ import annotations

from menshen.core.login.outcomes import Granted
from menshen.core.time import NEVER
from tests.flows.site import Site


async def prove_nothing(site: Site, granted: Granted) -> None:
    """Make it a session that a QR code or another server opened: it never proved identity to us."""
    await site.store.write(lambda tx: tx.sessions.prove(granted.session.session_id, NEVER))
    assert (await site.caller(granted)).session.proved_at == NEVER
