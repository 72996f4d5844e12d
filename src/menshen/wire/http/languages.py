"""Choose between the two languages of refusals by the Accept-Language header. (RFC 9110 section 12.5.4.)

This module knows no text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

CHINESE: Final = "zh"
ENGLISH: Final = "en"
_MAX_HEADER: Final = 1024
_QUALITY = re.compile(r"q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def preferred(accept_language: Sequence[str], otherwise: str = CHINESE) -> str:
    """Return "zh" or "en": the one that the Accept-Language lines rank higher, `otherwise` when they name neither."""
    line = ",".join(accept_language)
    if len(line) > _MAX_HEADER:
        return otherwise
    best = {CHINESE: 0.0, ENGLISH: 0.0}
    for place, item in enumerate(line.lower().split(",")):
        tag, _, parameters = item.partition(";")
        language = tag.strip().partition("-")[0]
        if language in best:
            # Between equals the earlier wins.
            best[language] = max(best[language], _weight(parameters.strip()) - place * 1e-6)
    if best[CHINESE] == best[ENGLISH]:
        return otherwise
    return ENGLISH if best[ENGLISH] > best[CHINESE] else CHINESE


def _weight(parameters: str) -> float:
    if not parameters:
        return 1.0
    quality = _QUALITY.fullmatch(parameters)
    return float(quality[1]) if quality else 0.0
