"""docs/operate/settings.md names every key with its default, and no other; its examples are good settings."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.delivery.email import smtp
from menshen.adapters.delivery.sms import webhook
from menshen.app.settings.reader import load_settings
from menshen.app.settings.settings import SECTIONS
from menshen.app.settings.shapes import keys_of

PAGE = Path(__file__).parents[3] / "docs" / "operate" / "settings.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def written(value: Any) -> Any:
    """Give a default as TOML holds it."""
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | float | dict) else str(value)


def test_the_page_holds_every_key_with_its_default() -> None:
    assert tomllib.loads(BLOCKS[0]) == {
        name: {key.name: written(key.default) for key in keys_of(record).values()} for name, record in SECTIONS.items()
    }


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_the_examples_are_settings(tmp_path: Path, block: str) -> None:
    (tmp_path / "menshen.toml").write_text(block, "utf-8")
    (tmp_path / "sms-secret").write_text("0123456789abcdef", "utf-8")
    load_settings(tmp_path / "menshen.toml", {}, tmp_path)


def test_the_examples_hold_every_key_of_their_types_with_its_default() -> None:
    sections = tomllib.loads(BLOCKS[1])
    for section, prefix, record in (("sms", "webhook_", webhook.Settings), ("email", "smtp_", smtp.Settings)):
        told = {key.removeprefix(prefix): value for key, value in sections[section].items() if key != "sender"}
        known = keys_of(record)
        assert {*told} == {*known}
        assert {name: told[name] for name, key in known.items() if not key.required} == {
            name: written(key.default) for name, key in known.items() if not key.required
        }
