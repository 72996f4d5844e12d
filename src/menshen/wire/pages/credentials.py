"""Carry passkeys between forms and flows: options go out as JSON, what the browser answered comes in as a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.problems import Denied
from menshen.core.strict_json import NotStrictError, read_object
from menshen.wire.pages.answers import Raw
from menshen.wire.pages.call import Call

_JSON: Final = "application/json; charset=utf-8"
_MOST: Final = 14_000


def options_as_json(call: Call, found: PublicKeyOptions | Denied) -> Raw:
    """Return what a script of ours reads: `{"publicKey": …}`, or `{"error": <a sentence>}`."""
    if isinstance(found, Denied):
        return Raw(msgspec.json.encode({"error": call.words.problem(found)}), _JSON)
    return Raw(msgspec.json.encode({"publicKey": found.options}), _JSON)


async def suggested(call: Call) -> str:
    """Return the JSON of options with which a browser suggests passkeys in the account field, "" for none."""
    found = await call.flows.login.passkey_options(call.origin)
    return "" if isinstance(found, Denied) else msgspec.json.encode(found.options).decode()


def read_credential(call: Call) -> Mapping[str, Any] | None:
    """Return what a passkey answered, from the field `credential`. None: it is no JSON object."""
    try:
        return read_object(call.field("credential", _MOST).encode())
    except NotStrictError:
        return None
