"""Copy an installation to PostgreSQL, and kill the process before one of its statements: `DATA URL NUMBER`.

NUMBER 0 kills nothing. The number of statements is printed at the end.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg

from menshen.app.installation.moving import copy_to_postgres
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from tests.patience import PATIENT

VERBS = ("execute", "executemany", "fetchval", "fetchrow", "copy_records_to_table")


def main(data: str, url: str, number: str) -> None:
    done = 0

    def counted(verb: Any) -> Any:
        async def run(*arguments: Any, **given: Any) -> Any:
            nonlocal done
            done += 1
            if done == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
            return await verb(*arguments, **given)

        return run

    for verb in VERBS:
        setattr(asyncpg.Connection, verb, counted(getattr(asyncpg.Connection, verb)))
    settings = load_settings(None, PATIENT, Path(data))
    assert copy_to_postgres(settings, "", url, lambda *_: None, SystemWorld()).final
    print(done)


if __name__ == "__main__":
    main(*sys.argv[1:])
