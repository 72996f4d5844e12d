"""How an answer looks: `{"status":…,"message":…,"data":…}` as JSON, JSONP or XML, and its HTTP status.

Not known here: why something was refused. (docs/contracts/careyshop.md section 2.)
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
# What XML 1.0 has no way to say, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENT: Final = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)
_QUOTES: Final = {'"': "&quot;", "'": "&#39;"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said: `status` 200 or a refusal's, the message, the data; `retry_after` in seconds where it helps."""

    status: int
    message: str
    data: Any = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An answer that is no envelope: PNG bytes, whatever format was asked for."""

    png: bytes


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is said: the format, the callback's name for JSONP, and whether XML is escaped.

    It is, unless the installation asked for the recorded server's manners (decision 0011).
    """

    format: str = "json"
    callback: str = DEFAULT_CALLBACK
    escapes: bool = True


def manner_of(parameters: Parameters, *, escapes: bool = True) -> Manner:
    """The asked format. Whatever can not be obeyed is answered in JSON: no illegal callback is ever written."""
    asked = parameters.get("format")
    if asked == "xml":
        return Manner("xml", escapes=escapes)
    if asked == "jsonp":
        callback = parameters.get("callback")
        if not public_rules.given(callback):
            return Manner("jsonp")
        if isinstance(callback, str) and public_rules.is_callback(callback):
            return Manner("jsonp", callback)
    return Manner()


def render(answer: Answer, manner: Manner) -> tuple[str, bytes]:
    """Content type and body. `data` is null for every empty value ([] 0 "" false)."""
    whole = {"status": answer.status, "message": answer.message, "data": answer.data or None}
    if manner.format == "xml":
        content = _xml(whole, _escaped if manner.escapes else str)
        text = f'<?xml version="1.0" encoding="utf-8"?><careyshop>{content}</careyshop>'
        return "text/xml; charset=utf-8", _utf8(text)
    text = _json(whole)
    if manner.format == "jsonp":
        return "application/javascript; charset=utf-8", _utf8(f"{manner.callback}({text});")
    return "application/json; charset=utf-8", _utf8(text)


def http_status(status: int, *, secure: bool, mirrored: bool) -> int:
    """The HTTP status of an answer: always 200 over plain HTTP, unless the app wants it `mirrored`."""
    return status if secure or mirrored else 200


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Slashes as the recorded server writes them; the two line ends break scripts that hold them raw.
    return text.replace("/", "\\/").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _xml(value: Any, say: Callable[[str], str]) -> str:
    if isinstance(value, dict):
        return "".join(_element(str(key), inner, say) for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f'<item id="{index}">{_xml(inner, say)}</item>' for index, inner in enumerate(value))
    if value is None or value is False:
        return ""
    return say("1" if value is True else str(value))


def _element(key: str, inner: Any, say: Callable[[str], str]) -> str:
    if _ELEMENT.fullmatch(key):
        return f"<{key}>{_xml(inner, say)}</{key}>"
    return f'<item id="{_escaped(key)}">{_xml(inner, say)}</item>'


def _escaped(text: str) -> str:
    return escape(_NO_XML.sub("", text), _QUOTES)


def _utf8(text: str) -> bytes:
    # Storage holds no lone surrogates; an answer must not fail should one get through.
    return text.encode("utf-8", "replace")
