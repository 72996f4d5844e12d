"""Hold a PostgreSQL database while a copy goes into it: no other program may write there, and no server may use it.

The first transaction of a copy makes the schema, the mark and the fence, and the last one takes mark and fence away.
The fence is a trigger on every table that refuses writes of others, also those of a server that has it open already.
(Decision 0046.)
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.adapters.storage.sql.schema.marks import COPYING, unmarked
from menshen.adapters.storage.sql.schema.migrate import HEAD, LOCK, SchemaTooNewError, postgres_revision, script

_MARK: Final = "menshen_copy_under_way"
_LOCK_SECONDS: Final = 60
_TRIES: Final = 50
_PAUSE: Final = 0.2
"""Seconds between two tries: PostgreSQL needs a moment to see that a killed copy has gone."""

# Callers take it for a database that takes no writes now: they answer 503, and /readyz says so.
_FENCE: Final = f"""
CREATE OR REPLACE FUNCTION {_MARK}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('menshen.copy', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'a copy into this database is under way' USING ERRCODE = 'read_only_sql_transaction';
  END IF;
  RETURN NULL;
END $$;
"""


class CopyError(Exception):
    """Report in one sentence why the database cannot be copied."""


async def claim(connection: Any, source: str, new_name: str, resumed: str | None = None) -> str:
    """Take the target for a copy of `source`, a mark of the database that is copied. Return the name of the copy.

    The connection keeps it until it is closed. A copy that begins is called `new_name`. `resumed` is the only copy that
    may go on, or None for any.

    Raises:
        CopyError: the target was used, or another copy holds it.
        SchemaTooNewError: it belongs to a newer program.
    """
    await connection.execute("SELECT set_config('menshen.copy', 'on', false)")
    await connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    await _be_the_only_one(connection)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        found = await postgres_revision(connection)
        under_way = found is not None and found.startswith(COPYING)
        if resumed and not under_way:
            raise CopyError("the target database is in use already" if found else "the target is another database")
        await _bring_schema(connection, found)
        # A trigger waits for transactions that write: what they wrote is seen below.
        await connection.execute(_fence())
        name = await (_known(connection, source, resumed) if under_way else _new(connection, source, new_name))
        await connection.execute("UPDATE alembic_version SET version_num = $1", f"{COPYING}{HEAD}")
    return name


async def release(connection: Any) -> None:
    """Complete the copy: servers may use the target from now on, and no copy may overwrite it."""
    async with connection.transaction():
        await connection.execute(f"DROP FUNCTION {_MARK}() CASCADE")
        await connection.execute(f"DROP TABLE {_MARK}")
        await connection.execute("UPDATE alembic_version SET version_num = $1", HEAD)


async def _be_the_only_one(connection: Any) -> None:
    for _ in range(_TRIES):
        if await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", _MARK):
            return
        await asyncio.sleep(_PAUSE)
    raise CopyError("another copy into this database is under way")


async def _bring_schema(connection: Any, found: str | None) -> None:
    revision = None if found is None else unmarked(found)
    if revision is not None and (not revision.isdigit() or int(revision) > int(HEAD)):
        # Rows without the columns of a newer schema would miss what its migration makes of them.
        raise SchemaTooNewError(revision)
    if revision != HEAD:
        await connection.execute(script("postgresql", revision))


def _fence() -> str:
    return _FENCE + "".join(
        f'CREATE OR REPLACE TRIGGER {_MARK} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{name}"'
        f" FOR EACH STATEMENT EXECUTE FUNCTION {_MARK}();\n"
        for name in tables()
    )


async def _new(connection: Any, source: str, name: str) -> str:
    """Mark a target that is unused."""
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", _MARK):
        raise CopyError("an older program began a copy into the target: give an empty database")
    used = " OR ".join(f'EXISTS (SELECT 1 FROM "{name}")' for name, table in tables().items() if not table.seeded)  # noqa: S608 - names of our own schema
    if await connection.fetchval(f"SELECT {used}"):
        raise CopyError("the target database is in use already: give an empty one")
    await connection.execute(
        f"CREATE TABLE {_MARK} (name text NOT NULL, source text NOT NULL, at timestamptz DEFAULT now())"
    )
    await connection.execute(f"INSERT INTO {_MARK} (name, source) VALUES ($1, $2)", name, source)  # noqa: S608
    return name


async def _known(connection: Any, source: str, resumed: str | None) -> str:
    """Go on with the copy that the mark names."""
    name, of = await connection.fetchrow(f"SELECT name, source FROM {_MARK}")  # noqa: S608
    if of != source or resumed not in {None, name}:
        raise CopyError("a copy of another database into the target is under way: give an empty one")
    return str(name)
