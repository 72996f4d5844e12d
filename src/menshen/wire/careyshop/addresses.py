"""Parse a request's path: it names the batch, or a controller and path pairs.

The forms are `/api/v1/<controller>[/name/value…]` and `/api/batch`, with or without `index.php` before them. Doubled
and trailing slashes and the suffix `.html` are accepted. (docs/contracts/careyshop.md section 1.1.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from starlette.types import Scope

from menshen.wire.careyshop import methods

VERSION: Final = b"v1"


@dataclass(frozen=True, slots=True)
class Target:
    """Hold the target of a path. `controller` is None for an unknown path. `pairs` are still percent-encoded."""

    batch: bool = False
    controller: str | None = None
    pairs: tuple[bytes, ...] = ()


def target_of(scope: Scope) -> Target:
    """Return the target of a request. It is read from the raw path, where an encoded slash is no separator."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    segments = [segment for segment in raw.partition(b"?")[0].split(b"/") if segment]
    if segments:
        segments[-1] = segments[-1].removesuffix(b".html")
    for prefix in (b"index.php", b"api"):
        if segments and segments[0] == prefix:
            del segments[0]
    if segments and segments[0] == b"batch":
        return Target(batch=True)
    if len(segments) < 2 or segments[0] != VERSION:
        return Target()
    controller = methods.canonical_controller(unquote(segments[1], errors="replace"))
    return Target(controller=controller, pairs=tuple(segments[2:]))
