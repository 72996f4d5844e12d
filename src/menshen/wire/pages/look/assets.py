"""Serve the style sheets, scripts and pictures of pages under paths that hold their digest. Gzip is made once."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

PREFIX: Final = "/assets"
_FOLDER: Final = Path(__file__).parent.with_name("assets")
_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_SHORTEST: Final = 256


@dataclass(frozen=True, slots=True)
class Asset:
    """Hold one file. `packed` is its gzip form, b"" where that saves nothing."""

    kind: str
    body: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    mark: str

    def path(self, name: str) -> str:
        """Return the path of the file: a change of it changes the path."""
        return f"{PREFIX}/{self.mark}/{name}"


def make_asset(body: bytes, kind: str) -> Asset:
    """Return an asset of bytes and their media type."""
    packed = gzip.compress(body, 9, mtime=0) if len(body) >= _SHORTEST and not kind.startswith("image/png") else b""
    return Asset(kind, body, packed, hashlib.sha256(body).hexdigest()[:8])


@cache
def shipped() -> dict[str, Asset]:
    """Return the files of the folder `assets` by their names."""
    found = sorted(path for path in _FOLDER.rglob("*") if path.suffix in _KINDS)
    return {path.relative_to(_FOLDER).as_posix(): make_asset(path.read_bytes(), _KINDS[path.suffix]) for path in found}


def asset_path(name: str) -> str:
    """Return the path of a shipped file. Templates name files by this.

    Raises:
        KeyError: there is no such file.
    """
    return shipped()[name].path(name)
