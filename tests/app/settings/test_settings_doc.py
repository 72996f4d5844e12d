"""docs/operate/settings.md names every key with its default, and no other."""

import re
import tomllib
from pathlib import Path

import msgspec

from menshen.app.settings.reader import Settings

PAGE = Path(__file__).parents[3] / "docs" / "operate" / "settings.md"


def test_the_page_holds_every_key_with_its_default() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    defaults = msgspec.json.decode(msgspec.json.encode(Settings(data_dir=Path("data")), enc_hook=str))
    del defaults["data_dir"]
    assert tomllib.loads(block) == defaults
