"""How long tests let the program wait: so long that only what is stuck gives up, however busy the machine is.

Tests of patience itself hand in their own.
"""

from __future__ import annotations

from menshen.adapters.storage.sql.engines.patience import USUAL, Patience

SECONDS = 60.0
CROWD = 50
"""How many race at once: the pool of each node is as wide, so that nobody waits for a connection."""

_FIELDS = Patience.__struct_fields__

LONG = Patience(**dict.fromkeys(_FIELDS, SECONDS))


def _spelt(patience: Patience) -> dict[str, str]:
    return {f"MENSHEN_PATIENCE__{name.upper()}": str(getattr(patience, name)) for name in _FIELDS}


PATIENT = _spelt(LONG) | {"MENSHEN_STORAGE__POOL_SIZE": str(CROWD)}
"""The environment of an installation that waits for everything."""

AS_SHIPPED = _spelt(USUAL) | {"MENSHEN_STORAGE__POOL_SIZE": "10"}
"""The environment of an installation that waits as long as users' do."""
