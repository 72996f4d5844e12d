"""Look whether a PostgreSQL database can hold an installation: kind of server, encoding, and rights of the role.

It is asked at each start, by each command and by `menshen check`, inside of one transaction and without a change.
(docs/operate/operations.md#what-postgresql-needs, decision 0061.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from menshen.adapters.storage.sql.engines.address import Address
from menshen.adapters.storage.sql.engines.connecting import address_of, reach
from menshen.adapters.storage.sql.engines.patience import Patience
from menshen.adapters.storage.sql.statements import reader
from menshen.ports.store.unfit import UnfitError

OLDEST_SERVER: Final = 14
"""The oldest major release of PostgreSQL that is served."""

_FACTS: Final = """
SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() AS standby, current_user::text AS role, current_database()::text AS database,
  current_schema()::text AS schema,
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
  coalesce(has_schema_privilege(current_schema(), 'USAGE'), false) AS may_use
"""

_CHANGE: Final = re.compile(r"\b(?<!DO )(?<!FOR )(?<!KEY )(INSERT|UPDATE|DELETE)(?: INTO| FROM)? (\w+)")
_LOCKS: Final = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b")
_READ: Final = re.compile(r"\b(?:FROM|JOIN|,) (\w+)")

_STRANGERS: Final = """
SELECT c.relname::text FROM pg_class AS c
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'alembic_version'::regclass)
  AND c.relname = ANY($1) AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1
"""

_LACKING: Final = """
SELECT what FROM (
  SELECT right_name || ' on the table ' || table_name AS what
  FROM unnest($1::text[], $2::text[]) AS needed (table_name, right_name)
  WHERE NOT has_table_privilege(to_regclass(quote_ident(table_name)), right_name)
  UNION ALL
  SELECT 'USAGE on the sequence ' || s.relname FROM pg_class AS s
    JOIN pg_depend AS d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass
    JOIN pg_class AS c ON c.oid = d.refobjid
  WHERE c.relname = ANY($1) AND pg_table_is_visible(c.oid)
    AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') ELSE false END
) AS lacking ORDER BY 1
"""

_WHICH: Final = """
SELECT pg_postmaster_start_time() AS started,
  (SELECT oid FROM pg_database WHERE datname = current_database()) AS number
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what a server says about itself and about the role."""

    major: int
    encoding: str
    standby: bool
    role: str
    database: str
    schema: str | None
    may_create: bool
    may_use: bool


def refuse_unfit(facts: Facts) -> None:
    """Raise UnfitError if no installation can be in such a database."""
    if facts.major < OLDEST_SERVER:
        raise UnfitError(f"the server is PostgreSQL {facts.major}: {OLDEST_SERVER} or newer is needed")
    if facts.encoding != "UTF8":
        raise UnfitError(
            f"the database {facts.database} has the encoding {facts.encoding}, which cannot hold every name: make one "
            f"by `createdb -E UTF8 -T template0 -O {facts.role} NAME`, and name it in the address"
        )
    if facts.standby:
        raise UnfitError(
            "the server is a standby, which takes no writes: name the primary, or all hosts with "
            "?target_session_attrs=primary"
        )


def refuse_helpless(facts: Facts) -> None:
    """Raise UnfitError if the role may not make the tables."""
    if facts.schema is None or not (facts.may_create and facts.may_use):
        place = facts.schema or "public"
        raise UnfitError(
            f"the role {facts.role} may not make tables in the schema {place} of the database {facts.database}: "
            f"GRANT USAGE, CREATE ON SCHEMA {place} TO {facts.role}, or make the role the owner of the database"
        )


async def look(connection: Any) -> Facts:
    """Ask for the facts, in the caller's transaction, and refuse a database that cannot be used.

    Raises:
        UnfitError: an operator has to change something.
    """
    facts = Facts(**dict(await connection.fetchrow(_FACTS)))
    refuse_unfit(facts)
    return facts


@cache
def needed_rights() -> tuple[tuple[str, str], ...]:
    """Return (table, right) for all that the statements do, and the triggers beside them."""
    needed = {("revocations", "INSERT")}
    for file in reader.files():
        for statement in reader.read(file, "postgresql").values():
            changes = _CHANGE.findall(statement.text)
            needed |= {(table, verb) for verb, table in changes}
            # DO UPDATE names no table, and a lock of rows takes the same right.
            inserted = {table for verb, table in changes if verb == "INSERT"}
            locked = set(_READ.findall(statement.text)) if _LOCKS.search(statement.text) else set()
            needed |= {(table, "UPDATE") for table in (inserted if "DO UPDATE" in statement.text else set()) | locked}
    # There is no table that no statement changes: what else was found is the name of a part of a statement.
    known = {table for table, right in needed if right != "UPDATE"} | {"installation"}
    needed |= {(table, "SELECT") for table in known}
    return tuple(sorted((table, right) for table, right in needed if table in known))


async def refuse_missing_rights(connection: Any, facts: Facts, *, current: bool) -> None:
    """Refuse a role that may not do what the statements do, or may not change the tables of an older schema.

    Raises:
        UnfitError: it names the first right that is missing, and how many there are.
    """
    if current:
        lacking = [row[0] for row in await connection.fetch(_LACKING, *map(list, zip(*needed_rights(), strict=True)))]
        if lacking:
            more = f" and {len(lacking) - 1} more rights" if len(lacking) > 1 else ""
            raise UnfitError(
                f"the role {facts.role} lacks {lacking[0]}{more} in the database {facts.database}: "
                "GRANT them, or name the owner of the tables as the role"
            )
        return
    refuse_helpless(facts)
    strangers = [
        row[0]
        for row in await connection.fetch(_STRANGERS, [*{table for table, _ in needed_rights()}, "alembic_version"])
    ]
    if strangers:
        raise UnfitError(
            f"the schema of the database {facts.database} must be upgraded, and the table {strangers[0]} does not "
            f"belong to the role {facts.role}: run `menshen migrate` once as its owner"
        )


async def refuse_pooler(connection: Any, address: Address) -> None:
    """Raise UnfitError if a pooler answers in the place of the server. It invents the number of the server's process.

    It asks in the caller's transaction.
    """
    if await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid():
        raise UnfitError(f"a pooler answers at {address}: name the server itself")


async def refuse_other_database(url: str, direct_url: str, patience: Patience) -> None:
    """Refuse a `direct_url` that leads through a pooler, or to another database than `url`.

    Raises:
        UnfitError: as said.
        Problem: UNAVAILABLE.
    """
    async with reach(direct_url, patience) as straight, straight.transaction():
        await refuse_pooler(straight, address_of(direct_url))
        there = await straight.fetchrow(_WHICH)
    async with reach(url, patience) as usual, usual.transaction():
        here = await usual.fetchrow(_WHICH)
    if here != there:
        raise UnfitError(
            f"[storage] direct_url leads to {address_of(direct_url)}, which is another database than that of "
            f"[storage] url, {address_of(url)}"
        )
