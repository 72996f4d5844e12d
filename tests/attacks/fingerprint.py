"""Answers as an attacker compares them: every byte but what is drawn anew each time."""

from __future__ import annotations

import json
from typing import Any

import httpx

Fingerprint = tuple[int, list[tuple[str, str]], str]
_DRAWN = {"x-request-id", "token"}


def fingerprint(response: httpx.Response) -> Fingerprint:
    """Status, header lines in their order, body; a captcha challenge is reduced to its shape."""
    headers = [(name, "*" if name in _DRAWN else value) for name, value in response.headers.multi_items()]
    text = response.text
    if '"challenge"' in text:
        body: dict[str, Any] = json.loads(text)
        body["challenge"] = _shape(body["challenge"])
        text = json.dumps(body, ensure_ascii=False)
    return response.status_code, headers, text


def _shape(value: Any) -> Any:
    """A tree with its random texts as their length."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return len(value) if isinstance(value, str) else value
