"""The packages that a server needs."""

from __future__ import annotations

import re
from typing import Final

from tools.docs.markdown import code, table
from tools.docs.pages import ROOT

_LINE: Final = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)\s+# (?P<reason>.+)")


def render() -> str:
    """Give each package of `requirements/run.in` with its pin and the reason that stands behind it."""
    lines = [
        line
        for line in (ROOT / "requirements" / "run.in").read_text("utf-8").splitlines()
        if line[:1] not in {"", "#", "-"}
    ]
    rows = []
    for line in lines:
        found = _LINE.fullmatch(line)
        assert found, f"requirements/run.in: write `name==version  # reason`, not {line!r}"
        rows.append((code(found["name"]), found["version"], found["reason"]))
    return table(("package", "version", "reason"), rows)
