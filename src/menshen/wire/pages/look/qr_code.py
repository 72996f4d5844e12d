"""Draw QR codes as SVG. The library is imported with the first one."""

from __future__ import annotations

from io import BytesIO
from typing import Final

_DARK: Final = "#16181d"


def draw_qr(text: str) -> str:
    """Return the SVG element of a QR code, black on white in each theme. It has no size and no style of its own."""
    import segno

    out = BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=0, dark=_DARK, svgclass=None, lineclass=None
    )
    return out.getvalue().decode().strip()
