"""One account's life at its pages: agreed, taken along, closed, taken back, and said that it was somebody else."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.agreements import Agreement
from menshen.core.account.asks import Deletion, Edited, PasswordChange
from menshen.core.account.export_tickets import ExportTicket
from menshen.core.account.security_links import NotMe
from menshen.core.identifiers import Kind
from menshen.core.outcomes import Done
from menshen.core.pages.settings import PageSettings
from menshen.core.rules import Origin
from tests.flows.site import NEW, PASSWORD, Site

_PHONE, _EMAIL = "+8613500135000", "pager@d.example"


async def paged(site: Site) -> Origin:
    """The origin of a request for an app that has pages under one name."""
    app, now = replace(site.harness.app, host="login.example"), site.harness.clock.now()
    await site.harness.store.write(lambda tx: tx.app_pages.save(app.app_id, PageSettings(on=True), now))
    return site.origin(app=app)


async def live_with_pages(site: Site) -> set[str]:
    """Do each of these once. Return the secrets that passed."""
    await site.harness.add_account("pager7", _PHONE, _EMAIL, PASSWORD)
    mine, here = await site.login("pager7"), await paged(site)
    flows, caller = site.flows.account, await site.caller(mine)
    assert await flows.agree([Agreement("terms", "1")], caller, here) == Done()
    ticket = await flows.order_export(caller, here)
    assert isinstance(ticket, ExportTicket)
    assert isinstance(await flows.drop(Kind.PHONE, caller, here), Edited)
    assert await flows.close(Deletion(PASSWORD), 7, caller, here) == Done()
    again = await site.login("pager7")
    change = PasswordChange(PASSWORD, NEW)
    assert await flows.change_password(change, await site.caller(again), here) == Done()
    secret = (await site.harness.messages())[-1].link.rpartition("/")[2]
    assert len(secret) == 26
    assert await flows.not_me(secret, here) == NotMe(password_ended=True)
    return {mine.token, again.token, secret}
