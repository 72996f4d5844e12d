"""Sections of dialects: read by the dialect's own record, and refused by their names."""

from pathlib import Path

import pytest

from menshen.app.settings.checks import find_problems
from menshen.app.settings.reader import SettingsError, load_settings
from menshen.core.findings import Severity
from menshen.core.time import Instant
from menshen.wire.careyshop.settings import Settings as CareyShopSettings
from menshen.wire.specimen.settings import Settings as SpecimenSettings

NOW = Instant(1_800_000_000_000)


def load(tmp_path: Path, text: str) -> list[tuple[Severity, str]]:
    (file := tmp_path / "menshen.toml").write_text(text, "utf-8")
    return [(finding.severity, str(finding)) for finding in find_problems(load_settings(file, {}, tmp_path), NOW)]


def test_a_section_is_read_by_the_dialect_of_its_name(tmp_path: Path) -> None:
    settings = load_settings(None, {"MENSHEN_SPECIMEN__LANGUAGE": "zh"}, tmp_path)
    assert settings.dialects == {"specimen": SpecimenSettings(language="zh")}
    assert load_settings(None, {}, tmp_path).dialects == {}


def test_a_section_may_have_its_former_name(tmp_path: Path) -> None:
    (file := tmp_path / "menshen.toml").write_text("[shop]\ngroup_id = 7\n[careyshop]\nuser_level_id = 2\n", "utf-8")
    environ = {"MENSHEN_SHOP__USER_LEVEL_NAME": "gold", "MENSHEN_CAREYSHOP__GROUP_NAME": "all"}
    wanted = CareyShopSettings(group_id=7, user_level_id=2, user_level_name="gold", group_name="all")
    assert load_settings(file, environ, tmp_path).dialects == {"careyshop": wanted}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[specimen]\nlanguages = "zh"\n', "[specimen] has no key languages; did you mean language?"),
        ('[specimen]\nlanguage = "fr"\n', "[specimen] language: invalid enum value 'fr'"),
        ("[shop]\ngroup = 7\n", "[careyshop] has no key group; did you mean group_id?"),
        (
            "[careyshop]\ngroup_id = 7\n[shop]\ngroup_id = 7\n",
            "[shop] group_id is set in [careyshop] too: leave one out",
        ),
        ("[weidu]\nx = 1\n", "the settings have no section [weidu]"),
        ("[no_such_dialect]\nx = 1\n", "the settings have no section [no_such_dialect]"),
        ("[http]\nx = 1\n", "the settings have no section [http]"),
        ('["../specimen"]\nx = 1\n', "the settings have no section [../specimen]"),
    ],
)
def test_what_no_dialect_takes_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text)
    assert str(refused.value) == sentence


def test_the_names_of_dialects_are_checked(tmp_path: Path) -> None:
    assert load(tmp_path, '[server]\ndialects = ["weidu", "careyshop"]\n') == []
    assert load(tmp_path, '[server]\ndialects = ["weidu", "weidu"]\n') == [
        (Severity.ERROR, "[server] dialects: names a dialect twice")
    ]
    assert load(tmp_path, '[server]\ndialects = ["wiedu"]\n') == [
        (Severity.ERROR, "[server] dialects: 'wiedu' is no dialect; there are careyshop, specimen, weidu")
    ]
    assert [severity for severity, _ in load(tmp_path, '[server]\ndialects = ["specimen"]\n')] == [Severity.WARNING]


def test_a_section_of_a_dialect_that_is_not_served_is_told(tmp_path: Path) -> None:
    assert load(tmp_path, '[specimen]\nlanguage = "zh"\n') == [
        (Severity.WARNING, "[specimen]: is the section of a dialect that [server] dialects does not serve")
    ]
