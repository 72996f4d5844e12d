"""Put a backup back, and kill the process before one of its steps on files: `DATA FILE NUMBER`.

NUMBER 0 kills nothing. -1 is a file system without links. The number of steps is printed at the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from menshen.app.installation.backups import put_back
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from tests.patience import PATIENT

STEPS = (
    (Path, "replace"),
    (Path, "rename"),
    (Path, "unlink"),
    (Path, "hardlink_to"),
    (os, "fsync"),
    (shutil, "copyfile"),
)


def main(data: str, file: str, number: str) -> None:
    done, link = 0, Path.hardlink_to

    def counted(step: Any) -> Any:
        def run(*arguments: Any, **given: Any) -> Any:
            nonlocal done
            done += 1
            if number == "-1" and step is link:
                raise PermissionError(1, "Operation not permitted")
            if done == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **given)

        return run

    for place, name in STEPS:
        setattr(place, name, counted(getattr(place, name)))
    put_back(load_settings(None, PATIENT, Path(data)), Path(file), SystemWorld())
    print(done)


if __name__ == "__main__":
    main(*sys.argv[1:])
