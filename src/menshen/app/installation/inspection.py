"""Check keys and database for `menshen check`. Must not create or migrate anything."""

from __future__ import annotations

import os
from collections.abc import Iterable

from menshen.app.installation.opening import needs_data_dir, why_missing
from menshen.app.keys_file import find_readers, keyring_for
from menshen.app.settings.checks import find_app_problems, find_problems
from menshen.app.settings.reader import Settings, SettingsError
from menshen.core.findings import Finding, Severity
from menshen.core.keys import Keyring
from menshen.core.problems import Problem
from menshen.core.time import CLOCK_BOUND, NEVER, SECOND, judge_clock
from menshen.ports.sealing import SealBroken
from menshen.ports.store.store import Store
from menshen.ports.world import World


async def inspect(settings: Settings, world: World) -> list[Finding]:
    """Return all errors and warnings, errors first."""
    found = [*find_problems(settings, world.now()), *find_readers(settings), *_places(settings)]
    if missing := why_missing(settings):
        found.append(Finding(Severity.WARNING, "the data directory", f"{missing}; the first start creates one"))
    keyring: Keyring | None = None
    unreadable = False
    try:
        if settings.keys.content or settings.keys_path.exists():
            keyring = keyring_for(settings, world)
    except SettingsError as error:
        unreadable = True
        found.append(Finding(Severity.ERROR, "[keys]", str(error)))
    # Keys that exist and cannot be read must not be reported as missing, too.
    found.extend(f for f in await _database(settings, keyring, world) if not (unreadable and f.key == "[keys]"))
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def _places(settings: Settings) -> Iterable[Finding]:
    """Report folders that a start needs and can neither find nor make."""
    path = settings.sqlite_path
    if path is not None and settings.storage.url and not path.parent.is_dir():
        yield Finding(Severity.ERROR, "[storage] url", f"the folder {path.parent} does not exist")
    if needs_data_dir(settings):
        data = settings.data_dir
        nearest = next(place for place in (data, *data.absolute().parents) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            yield Finding(Severity.ERROR, "the data directory", f"{data} cannot be made or written to")


async def _writes_and_clock(store: Store, world: World) -> Iterable[Finding]:
    """Report a database that takes no writes, and compare its clock with this machine's. Changes nothing."""
    if not await store.ready():
        text = (
            "takes no writes now: of PostgreSQL, look for a standby, and for default_transaction_read_only of the "
            "server, the database, the role and the address; of SQLite, for a process that holds its lock"
        )
        return [Finding(Severity.ERROR, "[storage] url", text)]
    mark, database = await store.write(lambda tx: tx.upkeep.clock())
    judged = judge_clock(world.now(), database=database, mark=mark, known=NEVER, passed=0)
    if not judged.doubted:
        return []
    # To the nearest second: the database rounds to a millisecond, and this machine cuts off.
    apart = (abs(judged.lead) + SECOND // 2) // SECOND
    if database and abs(world.now() - database) > CLOCK_BOUND:
        text = f"differs from the database's by {apart} s: mend the one that is wrong; nothing is swept meanwhile"
    elif judged.lead < 0:
        text = (
            f"is {apart} s behind the last that a server noted, and nothing is swept meanwhile. Mend it. If it is "
            "right, another was ahead before: `menshen clock confirm`"
        )
    else:
        text = (
            f"is {apart} s ahead of the last that a server noted. If none ran in that time, a server catches up by "
            "itself, or at once after `menshen clock confirm`"
        )
    return [Finding(Severity.WARNING, "the clock", text)]


async def _database(settings: Settings, keyring: Keyring | None, world: World) -> Iterable[Finding]:
    from menshen.adapters.sealing import KeyringSealer
    from menshen.adapters.storage.sql.engines.file_faults import refuse_unusable, why_unusable
    from menshen.adapters.storage.sql.schema.marks import SchemaError
    from menshen.adapters.storage.sql.schema.migrate import HEAD, read_revision
    from menshen.app.parts.store import open_store

    key = "[storage] url"
    path = settings.sqlite_path
    if path is not None and not os.path.exists(path):  # noqa: ASYNC240, PTH110 - one stat of a local file
        why = why_unusable(path) if settings.storage.url else None
        return [Finding(Severity.ERROR, key, f"cannot open {path}: {why}")] if why else []
    try:
        if path is not None:
            refuse_unusable(path)
            current = (read_revision(path) or "") >= HEAD
        else:
            current = await _is_current(settings)
        if not current:
            return [
                Finding(
                    Severity.WARNING,
                    key,
                    "the database is empty or older than this program: the next start brings it to today's schema",
                )
            ]
        if keyring is None:
            return [Finding(Severity.ERROR, "[keys]", f"{settings.keys_path} is missing, and the database needs it")]
        # The schema is current, so opening the database migrates nothing.
        store = await open_store(settings, KeyringSealer(keyring))
        try:
            apps, rp_ids = await store.read.apps.list_all(), await store.read.passkeys.rp_ids()
            found = find_app_problems(settings, apps, rp_ids, await store.read.app_pages.list_all())
            return [*found, *await _writes_and_clock(store, world)]
        finally:
            await store.close()
    except (Problem, SchemaError) as error:
        return [Finding(Severity.ERROR, key, str(error))]
    except SealBroken as error:
        return [Finding(Severity.ERROR, "[keys]", f"are not those the database was made with: a value is {error}")]


async def _is_current(settings: Settings) -> bool:
    """Look at PostgreSQL as a start does. Say whether a start would leave it as it is."""
    from menshen.adapters.storage.sql.schema.fitness import refuse_other_database
    from menshen.adapters.storage.sql.schema.migrate import postgres_is_current

    url, direct_url = settings.storage.url, settings.storage.direct_url
    if direct_url:
        await refuse_other_database(url, direct_url, settings.patience)
    return await postgres_is_current(direct_url or url, settings.patience)
