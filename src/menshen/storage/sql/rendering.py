"""Revisions as SQL text, by Alembic, and the ready text for an empty database.

`python -m menshen.storage.sql.rendering` writes that anew: run it when a revision is added. (Decisions 0007 and 0025.)
"""

from __future__ import annotations

import io
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from menshen.storage.sql.migrate import FRESH


def render(dialect: str, found: str | None) -> str:
    """SQL for `sqlite` or `postgresql` from revision `found` (None: an empty database) to the newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    out = io.StringIO()

    def steps(revision: object, _: object) -> object:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001 - Alembic's own env files do so

    with EnvironmentContext(config, scripts, fn=steps, as_sql=True, starting_rev=found, destination_rev="head") as env:
        env.configure(dialect_name=dialect, output_buffer=out)
        env.run_migrations()
    return out.getvalue()


if __name__ == "__main__":
    for name, path in FRESH.items():
        path.write_text(render(name, None), "utf-8")
