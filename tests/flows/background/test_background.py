"""What happens without being asked: the dead are swept."""

from __future__ import annotations

from menshen.core.time import DAY, HOUR
from menshen.flows.upkeep.sweep import sweep
from tests.flows.site import Site


async def sweep_all(site: Site) -> int:
    clocks = site.harness.assembled.clocks
    return await sweep(store=site.store, world=site.clock, audit_days=180, clocks=clocks)


async def test_sweeping_leaves_the_living(site: Site) -> None:
    await site.kevin()
    await site.code()
    granted = await site.login()
    await site.fail(3)
    assert await sweep_all(site) == 0
    # What was spent is kept two hours beyond its end, for clocks apart (docs/security/attacks.md SG-7).
    site.clock.advance(3 * HOUR)
    swept = await sweep_all(site)
    assert swept > 0
    assert await site.alive(granted) == [True]
    site.clock.advance(400 * DAY)
    while await sweep_all(site):
        pass
    assert await site.harness.events() == []
    assert await site.sessions(await site.account(1)) == []
