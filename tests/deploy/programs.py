"""What this suite needs beside Python: `python -m tests.deploy.programs` names the first program that is missing."""

from __future__ import annotations

import os
import shutil
import sys

PACKAGES = {
    "curl": "curl",
    "nginx": "nginx-light",
    "caddy": "caddy",
    "openssl": "openssl",
    "pgbouncer": "pgbouncer",
    "systemd-analyze": "systemd",
    "promtool": "prometheus",
}
# Where Debian keeps what only root is expected to start.
PLACES = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


class MissingProgramError(Exception):
    """Its sentence says which, and the Debian package that has it."""


def find(name: str) -> str:
    """Its path.

    Raises:
        MissingProgramError: it is not installed.
    """
    if found := shutil.which(name, path=PLACES):
        return found
    raise MissingProgramError(f"make deploy-test needs {name}: install it (Debian: the package {PACKAGES[name]})")


if __name__ == "__main__":
    try:
        for program in PACKAGES:
            find(program)
    except MissingProgramError as error:
        sys.exit(str(error))
