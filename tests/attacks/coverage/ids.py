"""Read the list of attacks from docs/security/attacks.md, the only place that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.architecture.papers import Row, tables, text_of

PAGE: Final = "docs/security/attacks.md"
_NOT_APPLICABLE: Final = "does not apply: "


@dataclass(frozen=True, slots=True)
class Attack:
    """Hold one row. `reason` says why the attack does not apply; it is empty for an attack that does."""

    id: str
    reason: str


def attack_of(row: Row) -> Attack:
    """Read the attack of a row. Raises AssertionError for an empty cell."""
    holds = row["what must hold"]
    reason = holds.removeprefix(_NOT_APPLICABLE) if holds.startswith(_NOT_APPLICABLE) else ""
    assert row["what is tried"], row["id"]
    assert holds.removeprefix(_NOT_APPLICABLE), row["id"]
    return Attack(row["id"], reason)


ATTACKS: Final = tuple(attack_of(row) for table in tables(text_of(PAGE)) for row in table)
IDS: Final = tuple(attack.id for attack in ATTACKS)
NOT_APPLICABLE: Final = tuple(attack.id for attack in ATTACKS if attack.reason)
