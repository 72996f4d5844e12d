"""Read and write logos by Pillow, which is imported with the first picture.

A picture is decoded and encoded again, so that the file holds pixels and nothing else: no metadata, no profile, no
second frame, and no bytes that a browser could take for something else.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from menshen.core.pages.logos import MOST_BYTES, MOST_PIXELS, MOST_SIDE, Logo

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_SIDES: Final = (MOST_SIDE, 384, 256, 128)
"""Tried one after another, until the picture fits into `MOST_BYTES`. 128 by 128 pixels of any kind do."""

_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "PNG": {"optimize": True},
    "JPEG": {"quality": 90},
    "WEBP": {"quality": 90},
}


class PillowLogoMaker:
    """Implement `menshen.ports.logos.LogoMaker`."""

    def make(self, given: bytes) -> Logo | None:
        if len(given) > MOST_BYTES:
            return None
        try:
            return _made(given)
        except Exception:  # noqa: BLE001 - decoders of strangers' files raise exceptions of any type
            return None


def _made(given: bytes) -> Logo | None:
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        # Pillow warns of what it takes for a bomb, before our own bound is asked.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(BytesIO(given), formats=_FORMATS) as opened:
            kind = opened.format or ""
            if opened.width * opened.height > MOST_PIXELS:
                return None
            opened.load()
            upright = ImageOps.exif_transpose(opened)
        pixels = upright.convert("RGBA" if upright.has_transparency_data and kind != "JPEG" else "RGB")
        for side in _SIDES:
            content = _encoded(pixels, kind, side)
            if len(content) <= MOST_BYTES:
                return Logo(Image.MIME[kind], content)
    return None


def _encoded(pixels: Image, kind: str, side: int) -> bytes:
    from PIL import Image

    small = pixels.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    # Of the pixels alone: what the opened file said beside them would be written again.
    bare = Image.frombytes(small.mode, small.size, small.tobytes())
    written = BytesIO()
    bare.save(written, kind, **_OPTIONS[kind])
    return written.getvalue()
