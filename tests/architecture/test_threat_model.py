"""docs/security/threat-model.md says what the program does: limits, life-times, ways in, rights, keys, logs.

Each both ways: what is written there and is not so fails, and what is so and is not written there.
(ASVS 5.0: 6.1.1 to 6.1.3, 7.1.1, 7.1.2, 8.1.1, 8.1.2, 11.1.1, 11.1.2, 16.1.1.)
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import menshen
from menshen.adapters.blocklist import CommonPasswords
from menshen.adapters.storage.sql.repositories.upkeep import OUTBOX_MEMORY
from menshen.adapters.storage.sql.schema import catalogue
from menshen.app.settings.settings import SECTIONS, Settings
from menshen.core.audit.events import Tag
from menshen.core.codes import one_time_codes
from menshen.core.gates import captcha
from menshen.core.gates.limits import Limits, limit_rules
from menshen.core.gates.risk import CAPTCHA_AT, RULES
from menshen.core.keys import Use
from menshen.core.policy import Policy
from menshen.core.sessions import devices, sessions
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.wire import weidu
from menshen.wire.careyshop import methods
from menshen.wire.careyshop.calls import profile as shop_profile
from menshen.wire.weidu import records, routing
from menshen.wire.weidu.calls import profile
from tests.architecture.papers import ROOT, Row, links_in, missing, names_in, section, tables, text_of
from tests.attacks.test_every_login_path import WAYS

PAGE = "docs/security/threat-model.md"
SOURCE = Path(menshen.__file__).parent
SPANS = {"d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "": 1}
_NUMBER = re.compile(r"([0-9]+)(?: (d|h|min|s))?")


def page(heading: str) -> str:
    return section(text_of(PAGE), heading)


def number(cell: str) -> int:
    """A number as the page writes it; spans of time in ms."""
    found = _NUMBER.fullmatch(cell)
    assert found, cell
    return int(found[1]) * SPANS[found[2] or ""]


def named(rows: list[Row], column: str) -> dict[str, Row]:
    """Rows by the one name in backticks of a column."""
    made = {}
    for row in rows:
        (name,) = names_in(row[column])
        assert name not in made, f"{name} is there twice"
        made[name] = row
    return made


def value_of(dotted: str) -> Any:
    """What `package.module.NAME` or `package.module.NAME.field` is."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise AssertionError(dotted)


# --- what the page names is there -------------------------------------------------------------------------------------


def test_every_promise_names_tests_that_are_there() -> None:
    (promises,) = tables(page("Promises"))
    for row in promises:
        references = names_in(row["tried by"])
        assert references, row["promise"]
        for reference in references:
            assert "::" in reference, f"{row['promise']}: a promise names its test"
            assert not missing(reference), f"{row['promise']}: {missing(reference)}"


def test_every_link_leads_somewhere() -> None:
    links = links_in(text_of(PAGE))
    assert "asvs.md" in links
    assert [missing(link, beside=PAGE) for link in links if missing(link, beside=PAGE)] == []


# --- limits and life-times --------------------------------------------------------------------------------------------


def wrong_limits(text: str) -> list[str]:
    """What the first table of limits says otherwise than the settings' defaults, or leaves out."""
    rows = named(tables(section(text, "Limits"))[0], "setting")
    defaults = msgspec.structs.asdict(SECTIONS["limits"]())
    wrong = list({*rows} ^ {*defaults})
    for name in {*rows} & {*defaults}:
        told = number(rows[name]["default"])
        if told != defaults[name] * (SECOND if limit_rules()[name][1].is_time else 1):
            wrong.append(f"{name}: {told}")
    return sorted(wrong)


def test_the_limits_are_those_of_the_settings() -> None:
    assert wrong_limits(text_of(PAGE)) == []
    core = Limits()
    for name, row in named(tables(page("Limits"))[0], "setting").items():
        assert number(row["default"]) == getattr(core, name), name


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("| `pause_after` | 10 |", "| `pause_after` | 11 |", "pause_after: 11"),
        ("| `pause` | 900 s |", "| `pause` | 900 |", "pause: 900"),
        ("| `dormant` | 180 d |", "| `dormant` | 179 d |", "dormant: 15465600000"),
        ("| `exist_free` |", "| `exist_for_nothing` |", "exist_for_nothing"),
    ],
)
def test_a_wrong_number_and_a_missing_limit_are_told(before: str, after: str, told: str) -> None:
    spoilt = text_of(PAGE).replace(before, after)
    assert spoilt != text_of(PAGE)
    assert told in wrong_limits(spoilt)


def test_the_other_limits_too(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    rows = named(tables(page("Limits"))[1], "setting")
    for name, row in rows.items():
        part, _, key = name.partition(".")
        assert number(row["default"]) == getattr(getattr(settings, part), key), name
    wanted = {"connections", "connections_per_ip", "requests"}
    assert {name for name in rows if name.startswith("server.")} == {f"server.{name}" for name in wanted}
    assert {"hash.queue", "hash.memory_kib", "hash.passes", "captcha.cost", "audit.days"} <= {*rows}


def test_what_is_fixed_is_as_the_program_has_it() -> None:
    for name, row in named(tables(page("Limits"))[2], "constant").items():
        assert number(row["value"]) == value_of(name), name


def test_the_risk_table_is_the_programs() -> None:
    rows = named(tables(page("Limits"))[3], "rule")
    told = {name: row["points"].split(", ") for name, row in rows.items()}
    assert told == {
        rule.word: [
            "shuts" if rule.shuts else str(rule.points),
            *(["harder"] if rule.harder else []),
            *(["once proved"] if rule.proved else []),
        ]
        for rule in RULES
    }
    assert f"from {CAPTCHA_AT} points on a captcha" in page("Limits")


def spans_of(module: ModuleType) -> set[str]:
    """The names of a module's spans of time: constants of a second and more, and the fields of life-times."""
    found = set()
    for name, value in vars(module).items():
        if name in SPAN_UNITS or not name.isupper():
            continue
        if isinstance(value, sessions.Lifetimes):
            fields = [field for field in ("idle", "absolute", "refresh") if getattr(value, field)]
            found |= {f"{module.__name__}.{name}.{field}" for field in fields}
        elif isinstance(value, int) and value >= SECOND:
            found.add(f"{module.__name__}.{name}")
    return found


SPAN_UNITS = {"SECOND", "MINUTE", "HOUR", "DAY"}


def test_the_life_times_are_those_of_the_program() -> None:
    (rows,) = tables(page("Life-times"))
    told = named(rows, "constant")
    for name, row in told.items():
        assert number(row["value"]) == value_of(name), name
    assert {*told} == set().union(*map(spans_of, (sessions, one_time_codes, captcha, devices)))


def test_the_numbers_between_the_tables() -> None:
    words = page("Life-times")
    assert f"without names {sessions.MAX_SESSIONS}, the oldest goes" in words
    assert f"at most {value_of('menshen.flows.login.finish._MOST_PLATFORMS')} platforms" in words
    assert f"| {OUTBOX_MEMORY // DAY} days |" in page("Logs")
    assert f"cut at {value_of('menshen.app.telemetry.logs._MOST_TEXT')} characters" in page("Logs")
    assert f"are {value_of('menshen.app.keys_file._SECRET_BYTES')} random bytes each" in page("Keys")


# --- ways in and rights -----------------------------------------------------------------------------------------------


def test_the_ways_in_are_those_that_are_tried() -> None:
    (rows,) = tables(page("Ways in"))
    told = {row["way"]: (names_in(row["endpoint"]), row["proof"]) for row in rows}
    assert told == {name: ([way.endpoint], way.proof) for name, way in WAYS.items()}
    tags = {tag.value for tag in Tag}
    for row in rows:
        assert set(re.findall(r"[a-z]+\.[a-z_]+", row["told in the audit"])) <= tags


def test_who_may_call_what_is_what_the_routes_say() -> None:
    rights, _ = tables(page("Who may do what"))
    groups: list[set[str]] = []
    for row in rights:
        if row["who"]:
            groups.append(set())
        groups[-1] |= set(names_in(row["calls"]))
    nobody, browser, appkey, member, signed = groups
    wire = {access: {f"{route.verb} {routing.PREFIX}{route.path}" for route in weidu.ROUTES if route.access is access}
            for access in routing.Access}  # fmt: skip
    shop = [(method.name, method.who, method.app, method.sign) for method in methods.METHODS]
    anyone = {name for name, who, app, sign in shop if who is methods.Who.ANYONE and not app and not sign}
    assert nobody == wire[routing.Access.ANYBODY] | anyone
    assert browser == wire[routing.Access.LOGIN]
    assert appkey == {name for name, who, app, sign in shop if who is methods.Who.ANYONE and app and not sign}
    assert member == wire[routing.Access.PRIVATE]
    assert signed == {name for name, who, app, sign in shop if who is methods.Who.ACCOUNT and app and sign}
    assert len(shop) == len(anyone) + len(appkey) + len(signed)


def test_who_reads_and_writes_a_field_is_what_the_calls_take_and_show() -> None:
    _, fields = tables(page("Who may do what"))
    readers = {name: row["who reads it"] for row in fields for name in names_in(row["field"])}
    writers = {name: row["who writes it"] for row in fields for name in names_in(row["field"])}
    assert len(readers) == sum(len(names_in(row["field"])) for row in fields)
    public = {name for name, who in readers.items() if who == "everybody who is logged in"}
    assert public == set(records.PublicInfo.__struct_fields__)
    shown = {name for name, who in readers.items() if who.startswith(("everybody", "the owner"))}
    assert shown == {*records.UserInfo.__struct_fields__, "birthday"}
    editable = {name for name, who in writers.items() if who == "the owner"}
    assert editable == set(profile.UpdateRequest.__struct_fields__)
    by_shop = {target for target, _ in shop_profile._EDITABLE.values()}
    assert by_shop <= {*editable, *(name for name, who in writers.items() if who == "the owner (CareyShop)")}
    refused = {name for name, who in writers.items() if "refused by name" in who}
    assert refused <= profile.UpdateRequest.server_fields
    assert {"mobile", "email", "password"} <= profile.UpdateRequest.server_fields


# --- passwords --------------------------------------------------------------------------------------------------------


def test_the_words_that_no_password_may_lean_on_are_listed() -> None:
    words = page("Passwords")
    assert set(Policy().product_words) <= set(names_in(words))


def test_the_list_of_common_passwords_is_as_long_as_they_say() -> None:
    """ASVS 5.0 6.2.4 asks for 3,000 that the policy would let through."""
    common = CommonPasswords()._words
    assert f"none of the {len(common):,} that everybody" in page("Passwords")
    assert sum(len(word) >= 8 for word in common) > 3000


def test_nothing_reminds_of_a_password() -> None:
    """No hints and no questions: there is no column that could hold one. (ASVS 5.0 6.4.2.)"""
    columns = {column for table in catalogue.tables().values() for column in table.columns}
    assert "password_hash" in columns
    assert [name for name in columns if re.search("hint|question|pet|maiden", name)] == []


# --- keys and algorithms ----------------------------------------------------------------------------------------------


def test_every_use_of_a_key_is_in_the_inventory() -> None:
    keys, _ = tables(page("Keys"))
    assert {*named(keys, "key")} == {use.value for use in Use}
    assert all(all(row.values()) for row in keys)


CALLS = re.compile(r"\b(hashlib\.[a-z0-9_]+|hmac\.(?!compare_digest)[a-z]+)\(")
IMPORTS = {"nacl.secret": "nacl.secret.Aead", "nacl.pwhash": "nacl.pwhash.argon2id"}
ALONE = ("bcrypt", "altcha", "secrets", "ssl", "random", "cryptography", "Crypto", "jwt", "OpenSSL", "uuid")


def algorithms_of(source: str) -> set[str]:
    """The cryptography that a module uses."""
    found = set(CALLS.findall(source))
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            found |= {f"hashlib.{alias.name}" for alias in node.names if node.module == "hashlib"}
        found |= {IMPORTS[module] for module in modules if module in IMPORTS}
        found |= {module.partition(".")[0] for module in modules if module.partition(".")[0] in ALONE}
    return found


def test_every_algorithm_stands_where_the_inventory_says_and_nowhere_else() -> None:
    _, inventory = tables(page("Keys"))
    told = {(name, place) for name, row in named(inventory, "algorithm").items() for place in names_in(row["where"])}
    used = {
        (name, path.relative_to(ROOT).as_posix())
        for path in SOURCE.rglob("*.py")
        for name in algorithms_of(path.read_text("utf-8"))
    }
    assert used == told


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import hashlib\nhashlib.md5(b'')", {"hashlib.md5"}),
        ("from hashlib import sha1", {"hashlib.sha1"}),
        ("import hmac\nhmac.new(b'', b'', 'md5')\nhmac.compare_digest(b'', b'')", {"hmac.new"}),
        ("from nacl.secret import Aead", {"nacl.secret.Aead"}),
        ("def f():\n    import random", {"random"}),
        ("from cryptography.hazmat import x", {"cryptography"}),
    ],
)
def test_new_cryptography_would_be_found(source: str, found: set[str]) -> None:
    assert algorithms_of(source) == found


# --- logs -------------------------------------------------------------------------------------------------------------

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def lines_of(source: str) -> set[str]:
    """The events that a module writes to the log."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LEVELS:
            by = node.func.value
            if isinstance(by, ast.Name) and by.id in {"log", "_log", "logger"}:
                assert node.args, "a line without an event"
                first = node.args[0]
                assert isinstance(first, ast.Constant), "an event is a word of the program"
                found.add(str(first.value))
    return found


def test_every_line_of_the_log_and_every_event_of_the_audit_is_in_the_inventory() -> None:
    _, lines = tables(page("Logs"))
    told = [name for row in lines for name in names_in(row["line of the log"])]
    assert len(told) == len(set(told))
    assert set(told) == set().union(*(lines_of(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")))
    listed = page("Logs").partition("Events of the audit: ")[2].partition("\n\n")[0]
    assert sorted(names_in(listed)) == sorted(tag.value for tag in Tag)


def test_nothing_is_logged_but_to_stderr_and_the_database() -> None:
    """ASVS 5.0 16.2.3: no handler writes to a file, a socket or a service."""
    handlers = re.compile(r"(FileHandler|RotatingFile|SocketHandler|SysLog|HTTPHandler|SMTPHandler)")
    assert [path.name for path in SOURCE.rglob("*.py") if handlers.search(path.read_text("utf-8"))] == []
    logs, _ = tables(page("Logs"))
    assert [row["log"] for row in logs] == ["audit trail", "log", "metrics", "traces", "outbox"]
    assert {"audit", "outbox"} <= set(catalogue.tables())
