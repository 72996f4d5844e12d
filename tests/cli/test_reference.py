"""`menshen routes` and `menshen openapi` tell what is served, and where it is written."""

import json
from pathlib import Path

import pytest

from menshen.app.discovery import find_dialects
from tests.cli.conftest import Menshen

SOURCE = Path(__file__).parents[2] / "src"


def test_every_endpoint_with_its_place(menshen: Menshen, data: Path) -> None:
    rows = menshen("routes", "--json").json()
    assert {row["dialect"] for row in rows} == {"-", *(dialect.name for dialect in find_dialects())}
    assert len(rows) > 40
    for row in rows:
        file, _, line = row["where"].rpartition(":")
        lines = (SOURCE / file).read_text("utf-8").splitlines()
        assert 1 <= int(line) <= len(lines)
        if row["dialect"] != "-" and int(line) > 1:
            assert lines[int(line) - 1].lstrip().startswith(("async def ", "def ", "@"))
    assert not data.exists()


def test_the_places_are_exact(menshen: Menshen) -> None:
    rows = menshen("routes", "--dialect", "weidu", "--json").json()
    (login,) = [row for row in rows if row["path"].endswith("/users/mobile/login")]
    assert (login["verb"], login["flow"]) == ("POST", "login.code")
    file, _, line = login["where"].rpartition(":")
    assert file == "menshen/wire/weidu/calls/login_sms.py"
    assert "async def post" in (SOURCE / file).read_text("utf-8").splitlines()[int(line) - 1]


def test_the_list_for_people(menshen: Menshen) -> None:
    head, *lines = menshen("routes").out.splitlines()
    assert head.split() == ["verb", "path", "dialect", "flow", "access", "where"]
    assert any("/auth/verify" in line for line in lines)
    refused = menshen("routes", "--dialect", "nobody")
    assert refused.code == 1
    assert refused.err == "menshen: no dialect 'nobody' is served; there are -, careyshop, weidu\n"


def test_the_document(menshen: Menshen, data: Path) -> None:
    document = json.loads(menshen("openapi").out)
    assert document["openapi"].startswith("3.")
    assert document["paths"]
    assert not data.exists()


def test_the_settings_choose_the_dialects(menshen: Menshen, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.toml"
    chosen.write_text('[server]\ndialects = ["weidu", "specimen"]\n')
    rows = menshen("routes", "--config", str(chosen), "--json").json()
    assert {row["dialect"] for row in rows} == {"-", "weidu", "specimen"}
    document = json.loads(menshen("openapi", "--config", str(chosen)).out)
    assert {"/specimen/login", "/weidu/api/v1/users/login"} <= set(document["paths"])


@pytest.mark.parametrize("command", ["routes", "openapi", "check"])
def test_a_dialect_that_is_not_there_is_named(menshen: Menshen, tmp_path: Path, command: str) -> None:
    chosen = tmp_path / "chosen.toml"
    chosen.write_text('[server]\ndialects = ["wiedu"]\n')
    refused = menshen(command, "--config", str(chosen))
    assert refused.code == 1
    assert "[server] dialects: 'wiedu' is no dialect; there are careyshop, specimen, weidu" in refused.err
