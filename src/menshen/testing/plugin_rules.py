"""Check what the file of every plug-in of any kind must do: the rules of its settings, and of what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, get_args

import msgspec
from msgspec import Meta, Struct

from menshen.core.secret import Secret

_SECRET: Final = re.compile(r"secret|password|private_key|access_key|token$")
MARK: Final = "canary-5d0c"
"""A text that stands in each secret while the rules are tried."""


def demand_settings(kind: type[Struct], given: Mapping[str, Any]) -> None:
    """Hold the `Settings` of a plug-in to the rules; `given` are values that it takes.

    Raises:
        AssertionError: they can be changed, take unknown keys, describe a key with nothing, or show a secret.
    """
    config = kind.__struct_config__
    assert config.frozen, "settings can be changed"
    assert config.forbid_unknown_fields, "a key that is misspelt goes unnoticed"
    fields = msgspec.structs.fields(kind)
    for field in fields:
        assert any(isinstance(mark, Meta) and mark.description for mark in _marks(field.type)), (
            f"{field.name} has no description"
        )
    secrets = {field.name for field in fields if _is_secret(field.type)}
    for field in fields:
        assert field.name in secrets or not _SECRET.search(field.name), f"{field.name} is shown: make it a Secret"
    shown = repr(msgspec.convert({**given, **dict.fromkeys(secrets, MARK)}, kind, dec_hook=_secret))
    assert MARK not in shown, "the repr of the settings shows a secret"


def settings_of(kind: type[Struct], given: Mapping[str, Any]) -> Struct:
    """Make the settings of a plug-in from values as a settings file has them."""
    return msgspec.convert(given, kind, dec_hook=_secret)


def demand_hidden(shown: object, secrets: Mapping[str, str]) -> None:
    """Demand that none of `secrets` (what it is -> its text) stands in the repr of something.

    Raises:
        AssertionError: one does.
    """
    text = repr(shown)
    for name, secret in secrets.items():
        assert not secret or secret not in text, f"the repr of {type(shown).__name__} shows the {name}"


@contextmanager
def nothing_raised(call: str) -> Iterator[None]:
    """Run a call of a port that raises nothing.

    Raises:
        AssertionError: it raised something; one of a demand in the block goes on as it is.
    """
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{call} raised {error!r}") from error


def _marks(kind: Any) -> tuple[Any, ...]:
    return getattr(kind, "__metadata__", ())


def _is_secret(kind: Any) -> bool:
    return kind is Secret or getattr(kind, "__origin__", None) is Secret or Secret in get_args(kind)


def _secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError
