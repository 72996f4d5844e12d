"""Plug-ins in the settings: a type by its name, with its own keys beside it or in a table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from menshen.adapters.delivery.sms import webhook
from menshen.app.plugins import PACKAGES, names_in
from menshen.app.settings.chosen import Chosen
from menshen.app.settings.reader import Settings, SettingsError, load_settings
from menshen.core.secret import Secret

DATA = Path("somewhere")
KEY = "0123456789abcdef"
TABLE = f'[[sms.senders]]\nname = "main"\ntype = "webhook"\nurl = "https://sms.example/"\nsecret = "{KEY}"\n'
FLAT = f'[sms]\nsender = "webhook"\nwebhook_url = "https://sms.example/"\nwebhook_secret = "{KEY}"\n'


def load(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    (folder / "menshen.toml").write_text(text, "utf-8")
    return load_settings(folder / "menshen.toml", environ or {}, DATA)


def one(settings: Settings) -> Chosen:
    (chosen,) = settings.sms.chosen
    return chosen


def test_both_forms_mean_the_same(tmp_path: Path) -> None:
    wanted = webhook.Settings(url="https://sms.example/", secret=Secret(KEY))
    flat, table = one(load(tmp_path, FLAT)), one(load(tmp_path, TABLE))
    assert (flat.name, flat.type, flat.settings) == ("webhook", "webhook", wanted)
    assert (table.name, table.type, table.settings) == ("main", "webhook", wanted)


def test_the_environment_takes_the_tables_as_json() -> None:
    table = {"name": "main", "type": "webhook", "url": "https://sms.example/", "secret": KEY, "timeout_seconds": 3}
    chosen = one(load_settings(None, {"MENSHEN_SMS__SENDERS": json.dumps([table])}, DATA))
    assert chosen.settings == webhook.Settings(url="https://sms.example/", secret=Secret(KEY), timeout_seconds=3.0)


def test_keys_beside_have_the_types_of_their_plugin() -> None:
    environ = {
        "MENSHEN_EMAIL__SENDER": "smtp",
        "MENSHEN_EMAIL__SMTP_HOST": "8",
        "MENSHEN_EMAIL__SMTP_PORT": "25",
        "MENSHEN_EMAIL__SMTP_FROM": "a@b.example",
    }
    settings = load_settings(None, environ, DATA).email.sender.settings
    assert (getattr(settings, "host", None), getattr(settings, "port", None)) == ("8", 25)


@pytest.mark.parametrize(
    "text", [TABLE.replace("secret =", "secret_file ="), FLAT.replace("secret =", "secret_file =")]
)
def test_a_secret_of_a_plugin_may_come_from_a_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
    assert getattr(one(load(tmp_path, text.replace(KEY, "key"))).settings, "secret", None) == KEY


def test_the_environment_replaces_a_secret_beside_in_either_spelling(tmp_path: Path) -> None:
    text = FLAT.replace("secret =", "secret_file =")
    chosen = one(load(tmp_path, text, {"MENSHEN_SMS__WEBHOOK_SECRET": "another secret key"}))
    assert getattr(chosen.settings, "secret", None) == "another secret key"


def test_no_secret_is_shown(tmp_path: Path) -> None:
    for text in (FLAT, TABLE):
        settings = load(tmp_path, text)
        assert KEY not in repr(settings)
        assert "Secret(…)" in repr(settings)


THERE = "there are " + ", ".join(names_in(PACKAGES["sms"]))
NO_TYPE = f"there is no type 'webhok'; did you mean webhook?; {THERE}"
NO_NAME = "[[sms.senders]] number 1 needs a name: up to 32 of a to z, 0 to 9 and -"
NO_URL = "url is needed by {} = webhook: The address that receives messages by POST; https, or http on loopback."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FLAT.replace("webhook_url", "webhok_url"), "[sms] has no key webhok_url; did you mean webhook_url?"),
        (FLAT.replace("webhook_url", "webhook_uri"), "[sms] has no key webhook_uri; did you mean webhook_url?"),
        (FLAT.replace("webhook_url", "#"), "[sms] webhook_" + NO_URL.format("sender")),
        (FLAT.replace('"https://sms.example/"', "8"), "[sms] webhook_url: expected `str`, got `int`"),
        (FLAT.replace(f'"{KEY}"', "8"), "[sms] webhook_secret: expected `str`, got `int`"),
        (FLAT.replace('"webhook"', "1"), "[sms] sender: expected the name of a type"),
        ('[sms]\nwebhook_uri = "x"\n', "[sms] has no key webhook_uri; did you mean webhook_url?"),
        ("[sms]\nwebhook_timeout_seconds = 0\n", "[sms] webhook_timeout_seconds: expected `float` >= 0.1"),
        (
            '[sms]\nwebhook_secret = "a"\nwebhook_secret_file = "b"\n',
            "[sms] webhook_secret and webhook_secret_file are both set: leave one out",
        ),
        (
            FLAT.replace("secret =", "secret_file ="),
            "[sms] webhook_secret_file: cannot read {folder}/0123456789abcdef: No such file or directory",
        ),
        (
            TABLE.replace('"webhook"', '"webhok"'),
            f"[[sms.senders]] main type: {NO_TYPE}",
        ),
        (
            TABLE.replace('"webhook"', '"../x"'),
            f"[[sms.senders]] main type: there is no type '../x'; {THERE}",
        ),
        (
            TABLE.replace('name = "main"\n', ""),
            NO_NAME,
        ),
        (TABLE.replace("main", "Main"), NO_NAME),
        (TABLE.replace('type = "webhook"\n', ""), "[[sms.senders]] main type is needed"),
        (TABLE + TABLE, "[[sms.senders]] main is there twice"),
        (TABLE.replace("url =", "uri ="), "[[sms.senders]] main has no key uri; did you mean url?"),
        (TABLE.replace("url =", "# ="), "[[sms.senders]] main " + NO_URL.format("type")),
        (TABLE.replace('"https://sms.example/"', "8"), "[[sms.senders]] main url: expected `str`, got `int`"),
        (TABLE + "countries = 1\n", "[[sms.senders]] main countries: expected `array`, got `int`"),
        (
            TABLE + 'countries = ["86"]\n',
            "[[sms.senders]] main countries[0]: expected `str` matching regex '^(\\\\*|\\\\+[1-9][0-9]{0,3})$'",
        ),
        (TABLE + 'purposes = ["spam"]\n', "[[sms.senders]] main purposes[0]: invalid enum value 'spam'"),
        (TABLE + "contries = 1\n", "[[sms.senders]] main has no key contries"),
        (
            TABLE.replace("secret =", "secret_file ="),
            "[[sms.senders]] main secret_file: cannot read {folder}/0123456789abcdef: No such file or directory",
        ),
        ("[sms]\nsenders = 1\n", "[sms] senders: expected `array`, got `int`"),
        ("[sms]\nsenders = [1]\n", NO_NAME),
        ('[sms]\nsender = "outbox"\n' + TABLE, "[sms] sender and [[sms.senders]] are both set: leave one out"),
        ('[sms]\nwebhook_url = "x"\n' + TABLE, "[sms] webhook_url and [[sms.senders]] are both set: leave one out"),
        ("[email]\nsenders = []\n", "[email] has no key senders; did you mean sender?"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text)
    assert str(refused.value) == told.replace("{folder}", str(tmp_path))


def test_nothing_is_imported_that_is_not_chosen() -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from menshen.app.settings.reader import load_settings\n"
        "load_settings(None, {'MENSHEN_SMS__COUNTRIES': '[]'}, Path('x'))\n"
        "print(sorted(name for name in sys.modules if name.startswith('menshen.adapters.delivery.')\n"
        "    or name.split('.')[0] in {'aiosmtplib', 'httpx', 'httpcore'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "webhook" not in done.stdout
    assert "smtp" not in done.stdout
    assert "http" not in done.stdout
