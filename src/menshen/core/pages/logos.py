"""Define the logo of an app as it is stored: a small picture that this server wrote, named by a digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 64 * 1024
"""Of a logo that is given, and of one that is stored."""

MOST_SIDE: Final = 512
"""The most pixels of a stored logo in a row or column."""

MOST_PIXELS: Final = 2048 * 2048
"""Of a logo that is given: 16 MB in memory."""

KINDS: Final = frozenset({"image/png", "image/jpeg", "image/webp"})

DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
"""How the name of a stored logo is written."""


@dataclass(frozen=True, slots=True)
class Logo:
    """Hold a picture: its media type, one of `KINDS`, and its bytes."""

    kind: str
    content: bytes = field(repr=False)

    def digest(self, app_id: int) -> str:
        """Return its name: another one at each app, so that an app removes no logo but its own."""
        return hashlib.sha256(b"%d %s " % (app_id, self.kind.encode()) + self.content).hexdigest()
