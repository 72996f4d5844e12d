"""SQL of migrations and of tables.py, as tests need it: up to any revision, for either database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import create_mock_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from menshen.storage.sql import migrate
from menshen.storage.sql.tables import metadata

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def revisions() -> list[str]:
    """Every revision there is, the first first, by the names of their files."""
    return sorted(file.name[1:5] for file in VERSIONS.glob("v*.py"))


def script_to(revision: str, dialect: str) -> str:
    """What the program of that revision made of an empty database."""
    import io

    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    scripts = ScriptDirectory.from_config(config)
    out = io.StringIO()

    def steps(found: Any, _: object) -> Any:
        return scripts._upgrade_revs(revision, found)

    with EnvironmentContext(config, scripts, fn=steps, as_sql=True, destination_rev=revision) as env:
        env.configure(dialect_name=dialect, output_buffer=out)
        env.run_migrations()
    return out.getvalue()


def script_of_tables(dialect: str) -> str:
    """What tables.py would make of an empty database."""
    engine = create_mock_engine("sqlite://" if dialect == "sqlite" else "postgresql+asyncpg://", lambda *_: None)
    made: list[str] = []
    for table in metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=engine.dialect)))
        made += [str(CreateIndex(index).compile(dialect=engine.dialect)) for index in table.indexes]
    return ";\n".join(made) + ";"
