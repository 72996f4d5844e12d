"""What settings may look like, where they come from, and how a wrong one is told."""

import re
from pathlib import Path

import msgspec
import pytest

from menshen.adapters.delivery.email import smtp
from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.app.settings.reader import Settings, SettingsError, load_settings, policy_of
from menshen.app.settings.settings import SECTIONS
from menshen.app.settings.shapes import keys_of
from menshen.core.gates.limits import limit_rules
from menshen.core.policy import Policy

DATA = Path("somewhere")


def load(text: str = "", environ: dict[str, str] | None = None, folder: Path | None = None) -> Settings:
    if not text:
        return load_settings(None, environ or {}, DATA)
    assert folder is not None
    (folder / "menshen.toml").write_text(text, "utf-8")
    return load_settings(folder / "menshen.toml", environ or {}, DATA)


def test_everything_has_a_default() -> None:
    settings = load()
    assert settings.server.host == "127.0.0.1"
    assert settings.server.port == 8400
    assert settings.sqlite_path == DATA / "menshen.db"
    assert settings.keys_path == DATA / "keys.toml"


def test_the_defaults_are_those_of_the_core() -> None:
    assert policy_of(load()) == Policy()


def test_the_product_of_the_messages_names_the_service_in_an_app_too() -> None:
    assert policy_of(load(environ={"MENSHEN_TEXTS__PRODUCT": "门神"})).product == "门神"


def test_every_limit_of_the_core_can_be_set() -> None:
    for name, (default, rule) in limit_rules().items():
        changed = policy_of(load(environ={f"MENSHEN_LIMITS__{name.upper()}": "7"})).limits
        assert getattr(changed, name) == (7000 if rule.is_time else 7)
        assert getattr(policy_of(load(environ={"MENSHEN_LIMITS__PAUSE": "1"})).limits, name) == (
            1000 if name == "pause" else default
        )


def records() -> list[type[msgspec.Struct]]:
    """Every record that a key of the settings may stand in: sections, tables in them, and the plug-ins' own."""
    tables = [key.table for record in SECTIONS.values() for key in keys_of(record).values() if key.table]
    plugins = [load_plugin(package, name).Settings for package in PACKAGES.values() for name in names_in(package)]
    return [*SECTIONS.values(), *tables, *plugins]


@pytest.mark.parametrize("record", records(), ids=lambda record: f"{record.__module__}.{record.__name__}")
def test_every_key_says_what_it_is_for(record: type[msgspec.Struct]) -> None:
    for key in keys_of(record).values():
        assert re.fullmatch(r"[A-Z`].*\.", key.description), f"{key.name} needs a sentence in its Meta(description=...)"
        assert max(len(sentence.split()) for sentence in key.description.split(". ")) <= 25


def test_a_file_is_read_and_the_environment_overrides_it(tmp_path: Path) -> None:
    text = '[server]\nport = 9000\nhost = "::1"\n[password]\nproduct_words = ["acme"]\n[limits]\npause = 60\n'
    settings = load(
        text, {"MENSHEN_SERVER__PORT": "9001", "MENSHEN_SMS__COUNTRIES": '["+86", "+852"]', "HOME": "/"}, tmp_path
    )
    assert (settings.server.port, settings.server.host) == (9001, "::1")
    assert settings.sms.countries == ("+86", "+852")
    policy = policy_of(settings)
    assert policy.product_words == ("acme",)
    assert policy.limits.pause == 60_000


NUMBER = "code = '123456', until = 2027-01-31"
NO_ADDRESS = (
    "[storage] url is no address such as postgresql://user:password@host:5432/database; "
    "in a password / is %2F, ? is %3F, # is %23, @ is %40"
)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"MENSHEN_SERVER__PROT": "1"}, "[server] has no key prot; did you mean port?"),
        (
            {"MENSHEN_SERVR__PORT": "1"},
            "MENSHEN_SERVR__PORT: the settings have no section [servr]; did you mean server?",
        ),
        ({"MENSHEN_SERVER__PORT": "many"}, "MENSHEN_SERVER__PORT must be JSON: a number, true or false, or a list"),
        ({"MENSHEN_SERVER__PORT": '"8400"'}, "[server] port: expected `int`, got `str`"),
        ({"MENSHEN_SERVER__PORT": "65536"}, "[server] port: expected `int` <= 65535"),
        ({"MENSHEN_SERVER__OUTBOX_ON_NETWORK": "1"}, "[server] outbox_on_network: expected `bool`, got `int`"),
        (
            {"MENSHEN_SMS__SENDER": "webhok"},
            "[sms] sender: there is no type 'webhok'; did you mean webhook?; there are "
            + ", ".join(names_in(PACKAGES["sms"])),
        ),
        ({"MENSHEN_LOG__LEVEL": "loud"}, "[log] level: invalid enum value 'loud'"),
        ({"MENSHEN_SMS__TEST_NUMBERS": "[]"}, "[sms] test_numbers: expected `object`, got `array`"),
        (
            {"MENSHEN_SMS__TEST_NUMBERS": '{"13800138000": 5}'},
            "[sms.test_numbers] '13800138000': expected a table, got `int`",
        ),
        (
            {"MENSHEN_SMS__TEST_NUMBERS": '{"13800138000": {"code": "123456"}}'},
            "[sms.test_numbers] '13800138000' until is needed: The last day (UTC) on which the code is valid.",
        ),
        (
            {"MENSHEN_SMS__TEST_NUMBERS": '{"13800138000": {"code": "12345", "until": "2027-01-31"}}'},
            "[sms.test_numbers] '13800138000': code must be six digits",
        ),
        (
            {"MENSHEN_SMS__TEST_NUMBERS": '{"12": {"code": "123456", "until": "2027-01-31"}}'},
            "[sms.test_numbers] '12' is no phone number",
        ),
        ({"MENSHEN_STORAGE__URL": "mysql://x"}, "[storage] url must begin with sqlite:/// or postgresql://"),
        ({"MENSHEN_STORAGE__URL": "postgresql://u:canary@[bad"}, NO_ADDRESS),
        ({"MENSHEN_STORAGE__URL": "postgresql://u:canary@host:abc/x"}, NO_ADDRESS),
        ({"MENSHEN_STORAGE__URL": "postgresql://u@one:1,two:abc/x"}, NO_ADDRESS),
        ({"MENSHEN_STORAGE__URL": "sqlite:///:memory:"}, "[storage] url: sqlite:/// needs the path of a file"),
        (
            {"MENSHEN_STORAGE__URL_FILE": "/nowhere/at/all"},
            "[storage] url_file: cannot read /nowhere/at/all: No such file or directory",
        ),
    ],
)
def test_what_is_wrong_is_named(environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ=environ)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:p%40@db.example:5432/x",
        "postgres://db/x?sslmode=require",
        "postgresql://one:1,two:2,[::1]:3/x",
        "postgresql://%2Frun%2Fpostgresql/x",
        "postgresql:///x?host=/run/postgresql",
    ],
)
def test_addresses_of_postgresql(address: str) -> None:
    assert load(environ={"MENSHEN_STORAGE__URL": address}).storage.url == address


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[servers]\nport = 1\n", "the settings have no section [servers]; did you mean server?"),
        ("server = 1\n", "[server] in the settings must be a section with keys"),
        ("[server]\ncolour = 1\n", "[server] has no key colour"),
        (
            '[email]\nsmtp_password = "a"\nsmtp_password_file = "b"\n',
            "smtp_password and smtp_password_file are both set",
        ),
        (
            "[sms.test_numbers]\n13800138000 = {code = '123456', until = 2027-01-31, to = 1}\n",
            "'13800138000' has no key to",
        ),
        ('[server]\nport = "x\n', "is not TOML"),
        ("data_dir = '/x'\n", "no section [data_dir]"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(text, folder=tmp_path)
    assert told in str(refused.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read the settings file .*: No such file"):
        load_settings(tmp_path / "none.toml", {}, DATA)


SMTP = '[email]\nsender = "smtp"\nsmtp_host = "mail.example"\nsmtp_from = "a@b.example"\n'


def mail_password(settings: Settings) -> str:
    chosen = settings.email.sender.settings
    assert isinstance(chosen, smtp.Settings)
    return chosen.password


def test_a_secret_may_come_from_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "mail-password").write_text("s3cret word\n")
    text = f'{SMTP}smtp_password_file = "mail-password"\n[keys]\nfile = "shared/keys.toml"\n'
    settings = load(text, folder=tmp_path)
    assert mail_password(settings) == "s3cret word"
    assert settings.keys_path == tmp_path / "shared" / "keys.toml"


def test_the_environment_replaces_a_secret_in_either_spelling(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("from the file")
    text = f'{SMTP}smtp_password = "from the toml"\n'
    replaced = load(text, {"MENSHEN_EMAIL__SMTP_PASSWORD_FILE": str(tmp_path / "other")}, tmp_path)
    assert mail_password(replaced) == "from the file"
    text = f'{SMTP}smtp_password_file = "other"\n'
    assert mail_password(load(text, {"MENSHEN_EMAIL__SMTP_PASSWORD": "plain"}, tmp_path)) == "plain"


def test_no_secret_is_in_a_repr_nor_in_a_refusal(tmp_path: Path) -> None:
    text = (
        '[storage]\nurl = "postgresql://u:canary@h/d"\n[keys]\ncontent = "canary"\n'
        f'{SMTP}smtp_password = "canary"\n'
        '[sms.test_numbers]\n13800138000 = {code = "424242", until = 2027-01-31}\n'
    )
    shown = repr(load(text, folder=tmp_path))
    assert "canary" not in shown
    assert "424242" not in shown
    with pytest.raises(SettingsError) as refused:
        load('[email]\nsmtp_password = {a = "canary"}\n', folder=tmp_path)
    assert "canary" not in str(refused.value)


def test_the_test_switch_of_the_environment() -> None:
    assert load(environ={"MENSHEN_TEST_HASH": "1"}).hash.testing
    assert not load(environ={"MENSHEN_TEST_HASH": "0"}).hash.testing


def test_a_reviewers_number_is_canonical_and_lasts_its_last_day() -> None:
    given = '{"138 0013 8000": {"code": "424242", "until": "2027-01-31"}}'
    policy = policy_of(load(environ={"MENSHEN_SMS__TEST_NUMBERS": given}))
    number = policy.test_numbers[0]
    assert (number.phone, number.code) == ("+8613800138000", "424242")
    # Midnight at the end of that day, UTC.
    assert number.until == 1_801_440_000_000


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///menshen.db", Path("menshen.db")),
        ("sqlite:////var/menshen.db", Path("/var/menshen.db")),
        ("postgresql://host/name", None),
        ("postgres://host/name", None),
    ],
)
def test_where_the_database_is(url: str, path: Path | None) -> None:
    assert load(environ={"MENSHEN_STORAGE__URL": url}).sqlite_path == path


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        load().server.port = 1  # type: ignore[misc]
    assert msgspec.structs.replace(load().server, port=1).port == 1
