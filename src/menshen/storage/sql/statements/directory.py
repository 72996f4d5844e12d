"""What is asked about apps and known devices."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from menshen.storage.sql.directory import APP_FIELDS
from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import apps, known_devices

MOST_DEVICES = 50


_COLUMNS = tuple("secret_sealed" if name == "secret" else name for name in APP_FIELDS)


class DirectoryStatements:
    """Everything these repositories ask, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        a, d = apps.c, known_devices.c
        columns = [a[name] for name in _COLUMNS]
        self.by = {
            name: sql(select(*columns).where(a[name] == bindparam("what"))) for name in ("appkey", "host", "name")
        }
        self.all = sql(select(*columns).order_by(a.app_id))
        added = [name for name in _COLUMNS if name != "app_id"]
        self.add = sql(sql.insert(apps, *added).on_conflict_do_nothing().returning(a.app_id))
        self.save = sql(
            update(apps)
            .where(a.app_id == bindparam("which"))
            .values({name: bindparam(f"new_{name}", type_=a[name].type) for name in added})
        )
        mine = d.account_number == bindparam("account")
        self.known = sql(select(d.device).where(mine, d.device == bindparam("device")))
        self.remember = sql(
            sql.insert(known_devices)
            .on_conflict_do_update(
                index_elements=[d.account_number, d.device],
                set_={"last_seen": bindparam("seen", type_=d.last_seen.type)},
            )
            .returning(d.first_seen)
        )
        newest = (
            select(d.device).where(mine).order_by(d.last_seen.desc(), d.device).limit(MOST_DEVICES).scalar_subquery()
        )
        self.forget = sql(delete(known_devices).where(mine, d.device.not_in(newest)))
