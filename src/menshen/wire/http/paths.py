"""Read paths of dialects: doubled slashes count as one. (docs/contracts/core.md section 5.8, decision 0058.)

Only paths of dialects are read so. `/metrics`, `/readyz`, `/auth/verify` and the like have one spelling, so that a rule
of a proxy that closes one closes all of it.
"""

from __future__ import annotations

import re
from typing import Final

_SLASHES: Final = re.compile("//+")


def merge_slashes(path: str) -> str:
    """Return the path with one slash in place of several."""
    return _SLASHES.sub("/", path) if "//" in path else path
