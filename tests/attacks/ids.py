"""Read the list of attacks from docs/security/attacks.md, the only place that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.architecture.papers import Row, names_in, tables, text_of

PAGE: Final = "docs/security/attacks.md"
_NOT_APPLICABLE: Final = "does not apply: "


@dataclass(frozen=True, slots=True)
class Attack:
    """Hold one row: the files of this folder that try it, or the reason why it does not apply."""

    id: str
    files: frozenset[str]
    reason: str


def attack_of(row: Row) -> Attack:
    """Read the attack of a row. It is tried somewhere, or has a reason, and never both."""
    holds, files = row["what must hold"], frozenset(names_in(row["tried in"]))
    reason = holds.removeprefix(_NOT_APPLICABLE) if holds.startswith(_NOT_APPLICABLE) else ""
    assert row["what is tried"], row["id"]
    assert holds, row["id"]
    assert bool(files) != bool(reason), row["id"]
    return Attack(row["id"], files, reason)


ATTACKS: Final = tuple(attack_of(row) for table in tables(text_of(PAGE)) for row in table)
IDS: Final = tuple(attack.id for attack in ATTACKS)
NOT_APPLICABLE: Final = tuple(attack.id for attack in ATTACKS if attack.reason)
