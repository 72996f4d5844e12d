"""The units as systemd itself reads them: nothing unknown in them, and little that they leave open."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.deploy.fronts import replaced
from tests.deploy.programs import find
from tests.server import MENSHEN

pytestmark = pytest.mark.deploy

DEPLOY = Path(__file__).parents[2] / "deploy"
INSTALLED = "/opt/menshen/bin/menshen"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find("systemd-analyze"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_systemd_knows_every_line(tmp_path: Path) -> None:
    for path in DEPLOY.glob("menshen*.*"):
        text = path.read_text()
        (tmp_path / path.name).write_text(
            replaced(text, {INSTALLED: str(MENSHEN)}) if path.suffix == ".service" else text
        )
    units = sorted(tmp_path.glob("menshen*"))
    assert len(units) == 3
    told = analyze("verify", "--man=no", *units)
    # Other units of the machine may have faults of their own.
    assert not [line for line in told.stderr.splitlines() if "menshen" in line], told.stderr
    (tmp_path / "menshen.service").write_text((tmp_path / "menshen.service").read_text() + "[Service]\nNoSuchThing=1\n")
    assert "NoSuchThing" in analyze("verify", "--man=no", tmp_path / "menshen.service").stderr


@pytest.mark.parametrize(("unit", "most"), [("menshen.service", "1.2"), ("menshen-backup.service", "0.5")])
def test_little_is_exposed(unit: str, most: str) -> None:
    """Of ten; what remains to the server is the network and the sockets that it is there for."""
    told = analyze("security", "--offline=yes", f"--threshold={round(float(most) * 10)}", DEPLOY / unit)
    assert told.returncode == 0, told.stdout[-300:]
    assert "Overall exposure level" in told.stdout
