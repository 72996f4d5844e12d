"""Settings: a TOML file, overridden by the environment, read into frozen records with a default for everything.

What stands here is one value's shape; whether values fit together is `menshen.app.settings.checks`. Unknown keys
are refused with a sentence naming them. (docs/contracts/core.md section 5.2.)
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.app.settings.limits import WINDOWS, LimitSettings, Natural, Risk, network_lists
from menshen.core.codes.one_time_codes import looks_like_code
from menshen.core.gates.limits import Limits
from menshen.core.identifiers import parse_phone
from menshen.core.policy import Policy, Shop, TestNumber
from menshen.core.time import SECOND, Instant

_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(:[0-9]{1,5})?", re.ASCII)


class SettingsError(Exception):
    """The settings cannot be used: one sentence that names the key, and holds no secret."""


class Server(Struct, frozen=True, kw_only=True):
    """Where it listens, and what stands before it. `drain_seconds` is how long SIGTERM waits for answers under way.

    For `notice_seconds` before that it serves as ever, and says 503 at /readyz.
    `hosts` are names of the default app beside those that apps have themselves, "*" for any name. `connections`
    is how many one worker holds at once, `connections_per_ip` how many of them one address may have, where no
    proxy stands before; `requests` how many it works on. `cors_origins` are the origins that may read answers.
    `metrics_networks` are the networks beside loopback that may read /metrics. `outbox_on_network` lets the outbox
    sender serve beyond loopback. `dialects` are the names of those to serve; empty: all but the specimen.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8400
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    trusted_proxies: Annotated[int, Meta(ge=0, le=16)] = 0
    hosts: tuple[str, ...] = ()
    connections: Annotated[int, Meta(ge=1, le=60_000)] = 4096
    connections_per_ip: Annotated[int, Meta(ge=1, le=60_000)] = 100
    requests: Annotated[int, Meta(ge=1, le=60_000)] = 512
    cors_origins: tuple[str, ...] = ()
    metrics_networks: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    notice_seconds: Annotated[int, Meta(ge=0, le=600)] = 0
    drain_seconds: Annotated[int, Meta(ge=0, le=600)] = 10
    outbox_on_network: bool = False


class Storage(Struct, frozen=True, kw_only=True):
    """`url` is `sqlite:///…` or `postgresql://…`, "" for the file menshen.db in the data directory."""

    url: str = ""
    pool_size: Annotated[int, Meta(ge=1, le=1000)] = 10

    def __repr__(self) -> str:
        """Without the address, which may hold a password."""
        return f"Storage(pool_size={self.pool_size})"


class Keys(Struct, frozen=True, kw_only=True):
    """Nodes that share a database share one keys.toml: by its path (`file`), or by its text (`content`)."""

    file: str = ""
    content: str = ""

    def __repr__(self) -> str:
        """Without the keys."""
        return f"Keys(file={self.file!r})"


class Hash(Struct, frozen=True, kw_only=True):
    """argon2id's cost. `threads` 0 takes one a core; `testing` lets tests go below the least that is safe."""

    memory_kib: Annotated[int, Meta(ge=8, le=256 * 1024)] = 19456
    passes: Annotated[int, Meta(ge=1, le=99)] = 2
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    queue: Annotated[int, Meta(ge=1, le=10_000)] = 64
    testing: bool = False


class TestNumberSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app reviewer's number. `until` is the last day (UTC) on which its fixed code is good."""

    __test__ = False  # a record, not a test

    code: str
    until: date

    def __repr__(self) -> str:
        """Without the code."""
        return f"TestNumberSettings(until={self.until})"


class Sms(Struct, frozen=True, kw_only=True):
    """Who carries text messages, to which prefixes, of how many codes a day each; `test_numbers` maps phone to code."""

    sender: Literal["outbox", "webhook"] = "outbox"
    webhook_url: str = ""
    webhook_secret: str = ""
    countries: tuple[Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{0,3}$")], ...] = ("+86",)
    country_budgets: dict[str, Natural] = {}
    test_numbers: dict[str, TestNumberSettings] = {}

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Sms(sender={self.sender!r}, countries={self.countries!r})"


class Email(Struct, frozen=True, kw_only=True):
    """Who carries email. With `smtp_user` "" nobody logs in at the mail server."""

    sender: Literal["outbox", "smtp"] = "outbox"
    smtp_host: str = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] = 587
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_from: str = ""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"

    def __repr__(self) -> str:
        """Without the password."""
        return f"Email(sender={self.sender!r}, smtp_host={self.smtp_host!r})"


class Captcha(Struct, frozen=True, kw_only=True):
    """`cost` is PBKDF2's iterations at the easiest difficulty of the built-in proof of work."""

    cost: Annotated[int, Meta(ge=1, le=200_000)] = 1000


class Password(Struct, frozen=True, kw_only=True):
    """What new passwords may not be, beside too short."""

    blocklist: bool = True
    product_words: tuple[str, ...] = ("menshen", "weidu", "careyshop")


class ShopSettings(Struct, frozen=True, kw_only=True):
    """`core.policy.Shop`."""

    user_level_id: int = 1
    user_level_name: str = "普通会员"
    user_level_icon: str = ""
    user_level_discount: int = 100
    group_id: int = 3
    group_name: str = "普通顾客"


class CareyshopSettings(Struct, frozen=True, kw_only=True):
    """`recorded_manners`: XML unescaped and usernames as typed, as CareyShop 1.3.1 answered; on loopback only."""

    recorded_manners: bool = False


class Audit(Struct, frozen=True, kw_only=True):
    """How long audit events are kept."""

    days: Annotated[int, Meta(ge=1, le=36500)] = 180


class Log(Struct, frozen=True, kw_only=True):
    """From which level on the log is written."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Struct, frozen=True, kw_only=True):
    """Everything an installation may choose. `data_dir` comes from the command line, never from the file."""

    data_dir: Path
    server: Server = Server()
    storage: Storage = Storage()
    patience: Patience = USUAL
    keys: Keys = Keys()
    hash: Hash = Hash()
    limits: LimitSettings = LimitSettings()
    risk: Risk = Risk()
    sms: Sms = Sms()
    email: Email = Email()
    captcha: Captcha = Captcha()
    password: Password = Password()
    shop: ShopSettings = ShopSettings()
    careyshop: CareyshopSettings = CareyshopSettings()
    audit: Audit = Audit()
    log: Log = Log()

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file, None on PostgreSQL."""
        if not self.storage.url:
            return self.data_dir / "menshen.db"
        if self.storage.url.startswith("sqlite:///"):
            return Path(self.storage.url.removeprefix("sqlite:///"))
        return None

    @property
    def keys_path(self) -> Path:
        """Where keys.toml lies, when `keys.content` does not hold its text."""
        return Path(self.keys.file) if self.keys.file else self.data_dir / "keys.toml"


SECRETS: Final = frozenset(
    {("storage", "url"), ("email", "smtp_password"), ("sms", "webhook_secret"), ("keys", "content")}
)
"""Keys that may be given as `<key>_file` too: the path of a file that holds the value."""

_SECTIONS: Final[Mapping[str, type[Struct]]] = {
    field.name: field.type for field in msgspec.structs.fields(Settings) if field.name != "data_dir"
}
_PREFIX: Final = "MENSHEN_"


def load_settings(config_path: Path | None, environ: Mapping[str, str], data_dir: Path) -> Settings:
    """The settings of the file (none: all defaults) under `MENSHEN_<SECTION>__<KEY>` of the environment.

    Text stands in the environment as it is, everything else as JSON. `MENSHEN_TEST_HASH=1` is
    `[hash] testing = true`. Relative paths in the file start at its folder.

    Raises:
        SettingsError: something is unreadable, unknown or of the wrong shape.
    """
    given = _from_file(config_path) if config_path else {}
    for section, key, value in _from_environment(environ):
        table = given.setdefault(section, {})
        # What the environment says about a secret replaces what the file says about it, in either spelling.
        table.pop(key.removesuffix("_file") if (section, key.removesuffix("_file")) in SECRETS else key, None)
        table.pop(f"{key}_file", None)
        table[key] = value
    sections = {name: _section(name, table) for name, table in given.items()}
    settings = Settings(data_dir=data_dir, **sections)
    _check_values(settings)
    return settings


def policy_of(settings: Settings) -> Policy:
    """What the core is to obey."""
    limits = {
        name: value * SECOND if name in WINDOWS else value
        for name, value in msgspec.structs.asdict(settings.limits).items()
    }
    return Policy(
        limits=Limits(**limits),
        networks=network_lists(settings.risk),
        hosts=tuple(host.lower() for host in settings.server.hosts),
        sms_countries=settings.sms.countries,
        sms_country_budgets=tuple(settings.sms.country_budgets.items()),
        test_numbers=tuple(
            TestNumber(parse_phone(phone) or "", entry.code, end_of(entry.until))
            for phone, entry in settings.sms.test_numbers.items()
        ),
        password_blocklist=settings.password.blocklist,
        product_words=settings.password.product_words,
        captcha_cost=settings.captcha.cost,
        shop=Shop(**msgspec.structs.asdict(settings.shop)),
        recorded_manners=settings.careyshop.recorded_manners,
    )


def end_of(day: date) -> Instant:
    """The instant (epoch ms) at which a day of UTC is over."""
    return Instant(int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()) * SECOND)


# --- reading ----------------------------------------------------------------------------------------------------------


def _from_file(path: Path) -> dict[str, dict[str, Any]]:
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from None
    for name, table in given.items():
        if name not in _SECTIONS:
            raise SettingsError(f"the settings have no section [{name}]{_near(name, _SECTIONS)}")
        if not isinstance(table, dict):
            raise SettingsError(f"[{name}] in the settings must be a section with keys")
        for key, value in table.items():
            if isinstance(value, str) and value and (_names_file(name, key) or (name, key) == ("keys", "file")):
                table[key] = str(path.parent / value)
    return given


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    for variable, text in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or "__" not in variable:
            continue
        section, _, key = variable.removeprefix(_PREFIX).lower().partition("__")
        if section not in _SECTIONS:
            raise SettingsError(f"{variable}: the settings have no section [{section}]{_near(section, _SECTIONS)}")
        types = {field.name: field.type for field in msgspec.structs.fields(_SECTIONS[section])}
        if _names_file(section, key) or _is_text(types.get(key, str)):
            found.append((section, key, text))
            continue
        try:
            found.append((section, key, msgspec.json.decode(text)))
        except msgspec.DecodeError:
            raise SettingsError(f"{variable} must be JSON: a number, true or false, or a list") from None
    if environ.get("MENSHEN_TEST_HASH") == "1":
        found.append(("hash", "testing", True))
    return found


def _section(name: str, table: dict[str, Any]) -> Any:
    """One section as its record, secrets read from their files."""
    kind = _SECTIONS[name]
    known = {field.name for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if _names_file(name, key):
            plain = key.removesuffix("_file")
            if plain in table:
                raise SettingsError(f"[{name}] {plain} and {key} are both set: leave one out")
            values[plain] = _secret(name, key, value)
        elif key in known:
            values[key] = value
        else:
            raise SettingsError(f"[{name}] has no key {key}{_near(key, known)}")
    numbers = values.get("test_numbers")
    for phone, entry in numbers.items() if isinstance(numbers, dict) else ():
        if isinstance(entry, dict) and "until" not in entry:
            raise SettingsError(f"[sms.test_numbers] {phone!r} needs until, the last day on which it is good")
    try:
        return msgspec.convert(values, kind, strict=True)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        place = where.rstrip("`").removeprefix(".")
        raise SettingsError(f"[{name}] {place or 'section'}: {what[:1].lower()}{what[1:]}") from None


def _secret(section: str, key: str, path: object) -> str:
    if not isinstance(path, str):
        raise SettingsError(f"[{section}] {key}: expected the path of a file")
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError(f"[{section}] {key}: cannot read {path}: {why}") from None


def _hosts_of(url: str) -> list[str]:
    """What stands between user and path: several hosts are parted by commas."""
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2].split(",")


def _check_values(settings: Settings) -> None:
    """What a type cannot say about one value."""
    url = settings.storage.url
    if url and not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise SettingsError("[storage] url must begin with sqlite:/// or postgresql://")
    if url == "sqlite:///" or ":memory:" in url:
        raise SettingsError("[storage] url: sqlite:/// needs the path of a file")
    # The address holds a password: it is not repeated.
    if url.startswith("postgres") and not all(map(_HOST_AND_PORT.fullmatch, _hosts_of(url))):
        raise SettingsError("[storage] url is no address such as postgresql://user:password@host:5432/database")
    try:
        network_lists(settings.risk)
    except ValueError as error:
        raise SettingsError(f"[risk] {error}") from None
    for country in settings.sms.country_budgets:
        if country not in settings.sms.countries:
            raise SettingsError(f"[sms] country_budgets: {country!r} is not among countries")
    for phone, entry in settings.sms.test_numbers.items():
        if parse_phone(phone) is None:
            raise SettingsError(f"[sms.test_numbers] {phone!r} is no phone number")
        if not looks_like_code(entry.code):
            raise SettingsError(f"[sms.test_numbers] {phone!r}: code must be six digits")


def _names_file(section: str, key: str) -> bool:
    return key.endswith("_file") and (section, key.removesuffix("_file")) in SECRETS


def _is_text(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind is str or get_origin(kind) is Literal


def _near(name: str, known: object) -> str:
    close = difflib.get_close_matches(name, list(known), 1)  # type: ignore[call-overload]
    return f"; did you mean {close[0]}?" if close else ""
