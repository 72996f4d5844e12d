"""Settings of passkeys: what no browser would send, and the passkeys that a changed name loses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from menshen.app.settings.checks import find_app_problems, find_problems
from menshen.app.settings.reader import Settings, SettingsError, load_settings, policy_of
from menshen.app.settings.sections.passkeys import Passkeys
from menshen.app.settings.sections.server import Server
from menshen.core.apps import App
from menshen.core.findings import Severity
from menshen.core.time import Instant

NOW = Instant(1_795_219_200_000)
OWN = "https://login.example"
PRINT = ":".join(["AB"] * 32)


def found(**given: Any) -> list[str]:
    settings = Settings(data_dir=Path("somewhere"), passkeys=Passkeys(**given))
    return [f"{finding.severity} {finding}" for finding in find_problems(settings, NOW) if "passkeys" in finding.key]


def test_what_fits_together_is_not_complained_of() -> None:
    assert found() == []
    assert found(rp_id="example.com", origins=("https://login.example.com", "https://login.example.com:8443")) == []
    assert found(rp_id="localhost", origins=("http://localhost:8400",)) == []
    assert found(rp_id="login.example", origins=(OWN, "https://shop.example", "android:apk-key-hash:" + "A" * 43)) == []


@pytest.mark.parametrize(
    "given",
    [
        {"rp_id": "Login.example"},
        {"rp_id": "https://login.example"},
        {"rp_id": "login.example:8443"},
        {"rp_id": "203.0.113.9"},
        {"rp_id": "login.example", "origins": ("login.example",)},
        {"rp_id": "login.example", "origins": (OWN, "*")},
        {"rp_id": "login.example", "origins": (OWN, "null")},
        {"rp_id": "login.example", "origins": (f"{OWN}:443",)},
        {"rp_id": "login.example", "origins": (f"{OWN}/",)},
        {"rp_id": "login.example", "origins": ("http://login.example",)},
        {"rp_id": "login.example", "origins": (OWN, "android:apk-key-hash:AA")},
        {"embedders": ("android:apk-key-hash:" + "A" * 43,)},
        {"embedders": ("*",)},
        {"enroll_url": "http://login.example/new"},
        {"manage_url": "https://"},
    ],
    ids=str,
)
def test_what_no_browser_sends_refuses_the_start(given: dict[str, Any]) -> None:
    assert [line for line in found(**given) if line.startswith(Severity.ERROR)]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"origins": (OWN,)}, "say the domain"),
        ({"rp_id": "login.example", "origins": ("https://shop.example",)}, "its own pages"),
        ({"rp_id": "login.example", "origins": (OWN, *(f"https://{n}.example" for n in range(6)))}, "6 hosts"),
        (
            {"rp_id": "login.example", "origins": (OWN,), "android_apps": {"com.a": (PRINT,)}},
            "apk-key-hash:q6u",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_be_a_mistake_is_warned_of(given: dict[str, Any], word: str) -> None:
    (line,) = found(**given)
    assert line.startswith(Severity.WARNING)
    assert word in line


def lost(rp_id: str, stored: dict[str, int], *, host: str = "", hosts: tuple[str, ...] = ()) -> list[str]:
    settings = Settings(data_dir=Path("somewhere"), passkeys=Passkeys(rp_id=rp_id), server=Server(hosts=hosts))
    findings = find_app_problems(settings, [App(1, "default", "1", "s", host=host)], stored)
    return [str(finding) for finding in findings if "passkeys" in finding.key]


def test_a_start_names_how_many_users_lose_their_passkeys() -> None:
    assert lost("login.example", {"login.example": 3}) == []
    (line,) = lost("example", {"login.example": 3, "example": 4})
    assert "3 accounts cannot use the passkeys made for login.example" in line
    assert "1 account cannot" in lost("example", {"login.example": 1})[0]


def test_without_a_name_the_hosts_are_looked_at() -> None:
    assert lost("", {"localhost": 1}) == []
    assert lost("", {"login.example": 2}, host="login.example:8443") == []
    assert lost("", {"login.example": 2}, hosts=("login.example",)) == []
    assert lost("", {"login.example": 2}, hosts=("*",)) == []
    assert "2 accounts" in lost("", {"login.example": 2}, host="other.example")[0]


def test_the_flows_get_what_is_said() -> None:
    environ = {"MENSHEN_PASSKEYS__RP_ID": "example.com", "MENSHEN_PASSKEYS__EMBEDDERS": '["https://shop.example"]'}
    sites = policy_of(load_settings(None, environ, Path("somewhere"))).passkeys
    assert (sites.rp_id, sites.origins, sites.embedders) == ("example.com", (), ("https://shop.example",))


@pytest.mark.parametrize(
    "text",
    ["[passkeys]\nios_apps = ['com.example.app']\n", "[passkeys.android_apps]\n'com.a' = ['abc']\n",
     "[passkeys]\nrpid = 'a'\n"],
)  # fmt: skip
def test_shapes_are_checked(tmp_path: Path, text: str) -> None:
    (tmp_path / "menshen.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="passkeys"):
        load_settings(tmp_path / "menshen.toml", {}, tmp_path)
