"""The replay of the recorded exchanges (run.sh) on a PostgreSQL of its own: `make conformance-postgresql`."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.postgres import PostgresServer  # noqa: E402 - the tests are no package that is installed

with PostgresServer() as server:
    environ = {**os.environ, "MENSHEN_STORAGE__URL": server.create()}
    sys.exit(subprocess.run([ROOT / "tests/conformance/run.sh", *sys.argv[1:]], env=environ, check=False).returncode)
