"""All repositories' statements, compiled for one database."""

from __future__ import annotations

from menshen.storage.sql.statements.accounts import AccountStatements
from menshen.storage.sql.statements.captchas import CaptchaStatements
from menshen.storage.sql.statements.codes import CodeStatements
from menshen.storage.sql.statements.compiler import for_postgres, for_sqlite
from menshen.storage.sql.statements.counters import CounterStatements
from menshen.storage.sql.statements.directory import DirectoryStatements
from menshen.storage.sql.statements.hash_heads import HashHeadStatements
from menshen.storage.sql.statements.importing import ImportStatements
from menshen.storage.sql.statements.journal import JournalStatements
from menshen.storage.sql.statements.sessions import SessionStatements
from menshen.storage.sql.statements.traffic import TrafficStatements
from menshen.storage.sql.statements.upkeep import UpkeepStatements


def compile_everything(dialect: str) -> dict[str, object]:
    """For `sqlite` or `postgresql`: the name of a repository to its statements."""
    sql = for_postgres() if dialect == "postgresql" else for_sqlite()
    return {
        "accounts": AccountStatements(sql),
        "sessions": SessionStatements(sql),
        "codes": CodeStatements(sql),
        "captchas": CaptchaStatements(sql),
        "counters": CounterStatements(sql),
        "directory": DirectoryStatements(sql),
        "journal": JournalStatements(sql),
        "imports": ImportStatements(sql),
        "hash_heads": HashHeadStatements(sql),
        "traffic": TrafficStatements(sql),
        "upkeep": UpkeepStatements(sql),
    }
