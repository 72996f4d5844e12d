"""Render an answer, `{"status":…,"message":…,"data":…}`, as JSON, JSONP or XML, and choose its HTTP status.

Must not know the reasons of refusals. (docs/contracts/careyshop.md section 2.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

from menshen.wire.careyshop import public_rules
from menshen.wire.careyshop.parameters import Parameters

DEFAULT_CALLBACK: Final = "jsonpReturn"
# Characters that XML 1.0 cannot hold, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENT: Final = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)
_QUOTES: Final = {'"': "&quot;", "'": "&#39;"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer: `status` 200 or a refusal's, message and data; `retry_after` in seconds where waiting helps."""

    status: int
    message: str
    data: Any = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold an answer without envelope: PNG bytes, in any requested format."""

    png: bytes


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """Hold the format, the callback's name for JSONP, and if XML is escaped.

    XML is escaped unless the settings ask for the recorded server's behaviour (decision 0011).
    """

    format: str = "json"
    callback: str = DEFAULT_CALLBACK
    escapes: bool = True


def format_of(parameters: Parameters, *, escapes: bool = True) -> AnswerFormat:
    """Return the requested format. An unknown format or an illegal callback gives JSON."""
    asked = parameters.get("format")
    if asked == "xml":
        return AnswerFormat("xml", escapes=escapes)
    if asked == "jsonp":
        callback = parameters.get("callback")
        if not public_rules.given(callback):
            return AnswerFormat("jsonp")
        if isinstance(callback, str) and public_rules.is_callback(callback):
            return AnswerFormat("jsonp", callback)
    return AnswerFormat()


def render(answer: Answer, form: AnswerFormat) -> tuple[str, bytes]:
    """Return content type and body. `data` is null for every empty value ([] 0 "" false)."""
    whole = {"status": answer.status, "message": answer.message, "data": answer.data or None}
    if form.format == "xml":
        content = _xml(whole, _escaped if form.escapes else str)
        text = f'<?xml version="1.0" encoding="utf-8"?><careyshop>{content}</careyshop>'
        return "text/xml; charset=utf-8", _utf8(text)
    text = _json(whole)
    if form.format == "jsonp":
        return "application/javascript; charset=utf-8", _utf8(f"{form.callback}({text});")
    return "application/json; charset=utf-8", _utf8(text)


def http_status(status: int, *, secure: bool, mirrored: bool) -> int:
    """Return the HTTP status of an answer. Over plain HTTP it is always 200, unless the app wants it `mirrored`."""
    return status if secure or mirrored else 200


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Slashes are escaped as in the recordings. The two line separators would break a script that holds them raw.
    return text.replace("/", "\\/").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _xml(value: Any, write: Callable[[str], str]) -> str:
    if isinstance(value, dict):
        return "".join(_element(str(key), inner, write) for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f'<item id="{index}">{_xml(inner, write)}</item>' for index, inner in enumerate(value))
    if value is None or value is False:
        return ""
    return write("1" if value is True else str(value))


def _element(key: str, inner: Any, write: Callable[[str], str]) -> str:
    if _ELEMENT.fullmatch(key):
        return f"<{key}>{_xml(inner, write)}</{key}>"
    return f'<item id="{_escaped(key)}">{_xml(inner, write)}</item>'


def _escaped(text: str) -> str:
    return escape(_NO_XML.sub("", text), _QUOTES)


def _utf8(text: str) -> bytes:
    # The database holds no lone surrogates. If one gets through, the answer must not fail.
    return text.encode("utf-8", "replace")
