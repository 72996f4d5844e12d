"""The settings of senders with templates: which template a message has, and what stands in its places."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.delivery.templated import TemplatedSettings
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.time import Instant

CODES = [template for template in Template if template.has_code]
NOTICES = [template for template in Template if not template.has_code]
PLACES = {"{code}": "040719", "{minutes}": "5", "{detail}": "138****8000"}


def settings(**given: Any) -> TemplatedSettings:
    return msgspec.convert({"templates": {"default": "T"}, **given}, TemplatedSettings)


def message(template: Template = Template.CODE_LOGIN, code: str = "040719", detail: str = "138****8000") -> Message:
    return Message(Channel.SMS, "+8613800138000", template, "zh", Instant(0), code=code, detail=detail)


def problems(**given: Any) -> list[str]:
    return [f"{finding.key} {finding.text}" for finding in settings(**given).find_problems()]


# --- templates --------------------------------------------------------------------------------------------------------


def test_the_default_serves_each_code_without_a_template_of_its_own() -> None:
    made = settings(templates={"default": "T", "code_reset": "R", "password_changed": "P"})
    assert {template: made.template_of(template) for template in Template} == {
        **dict.fromkeys(NOTICES, ""),
        **dict.fromkeys(CODES, "T"),
        Template.CODE_RESET: "R",
        Template.PASSWORD_CHANGED: "P",
    }


@pytest.mark.parametrize("template", NOTICES)
def test_a_notice_is_sent_by_a_template_of_its_own_only(template: Template) -> None:
    assert not settings().serves(template)
    assert settings(templates={template.value: "N"}).serves(template)
    # And such a template serves no code.
    assert [one for one in Template if settings(templates={template.value: "N"}).serves(one)] == [template]


def test_without_a_default_only_named_messages_are_sent() -> None:
    made = settings(templates={"code_login": "L"})
    assert [template for template in Template if made.serves(template)] == [Template.CODE_LOGIN]
    assert [template for template in Template if settings(templates={}).serves(template)] == []


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "filled"),
    [
        ({"code": "{code}"}, {"code": "040719"}),
        ({"0": "{code}", "min": "{minutes}"}, {"0": "040719", "min": "5"}),
        (["{code}", "{minutes}"], ["040719", "5"]),
        (["{minutes}", "{code}", "{code}"], ["5", "040719", "040719"]),
        ({"a": "您的{code}，{minutes}分钟", "b": "门神", "c": ""}, {"a": "您的040719，5分钟", "b": "门神", "c": ""}),
        ({"code": "{code}", "who": "{detail}"}, {"code": "040719", "who": "138****8000"}),
        ([], []),
        ({}, {}),
    ],
)
def test_the_values_stand_in_the_places_of_a_table_or_a_list(parameters: Any, filled: Any) -> None:
    assert settings(parameters=parameters).parameters_of(message()) == filled


def test_codes_and_notices_have_their_own_parameters() -> None:
    made = settings(parameters=["{code}"], notice_parameters={"who": "{detail}"})
    for template in CODES:
        assert made.parameters_of(message(template)) == ["040719"]
    for template in NOTICES:
        assert made.parameters_of(message(template, code="")) == {"who": "138****8000"}
    assert settings().parameters_of(message(Template.PASSWORD_CHANGED, code="")) == {}


BRACES = [
    "{code.__class__}", "{code.__class__.__mro__}", "{code[0]}", "{0}", "{}", "{code!r}", "{code!s}", "{code!a}",
    "{code:>999999999}", "{code:>9}", "{code:{minutes}}", "{code:}", "{", "}", "}{", "{code", "code}", "{{code}}",
    "{{code}", "{code}}", "{{", "}}", "{co{code}de}", "{min{code}utes}", "{{code}minutes}", "{ code }", "{Code}",
    "{CODE}", "{ｃｏｄｅ}", "{code\n}", "{code\x00}", "{password}", "{to}", "{detail.__init__.__globals__}",
    "{code}{", "}{minutes}", "{code}{0}",
]  # fmt: skip


@pytest.mark.attack("IN-6")
@pytest.mark.parametrize("text", BRACES)
@pytest.mark.parametrize("key", ["parameters", "notice_parameters"])
def test_other_braces_are_refused_and_never_read(text: str, key: str) -> None:
    """A width of 999,999,999 would also take a gigabyte of whoever checks the settings."""
    for parameters in ({"code": "{code}", "x": text}, ["{code}", text]):
        (problem,) = problems(**{key: parameters})
        assert problem.startswith(f"{key} {text!r} has braces")
        # Settings that were not checked raise nothing, and show no more than the three values.
        filled = settings(**{key: parameters}).parameters_of(message(CODES[0] if key == "parameters" else NOTICES[0]))
        shown = filled["x"] if isinstance(filled, dict) else filled[1]
        expected = text
        for place, value in PLACES.items():
            expected = expected.replace(place, value)
        assert shown == expected
        assert len(shown) < 60


@pytest.mark.attack("IN-6")
@given(st.text(alphabet=st.sampled_from("{}code minutes.!:_0"), max_size=12) | st.sampled_from([*PLACES]))
def test_a_value_is_never_read_as_a_place(value: str) -> None:
    made = settings(parameters=["{code}", "{detail}", "[{detail}|{code}]"])
    assert made.parameters_of(message(code=value, detail=value)) == [value, value, f"[{value}|{value}]"]


text_with_places = st.lists(
    st.sampled_from([*PLACES, "{", "}", "{{", "}}", "code", "x", " ", "!r", ":9", ".a"]) | st.text(max_size=2),
    max_size=8,
).map("".join)


@given(text_with_places)
def test_what_the_check_lets_through_is_filled_as_it_stands(text: str) -> None:
    """Compared with Python's own way to fill places, which knows much more than these three."""
    found = problems(parameters=["{code}", text])
    filled = settings(parameters=[text]).parameters_of(message())
    if not found:
        assert filled == [text.format(code="040719", minutes="5", detail="138****8000")]
    else:
        assert "{" in text or "}" in text


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"templates": {"login": "T"}}, "templates names no message 'login'"),
        ({"templates": {"default": "T", "code_login": ""}}, "templates has nothing for 'code_login'"),
        ({"templates": {"default": ""}}, "templates has nothing for 'default'"),
        ({"parameters": {"code": "123456"}}, "parameters has no {code}"),
        ({"parameters": {}}, "parameters has no {code}"),
        ({"parameters": []}, "parameters has no {code}"),
        ({"parameters": ["{minutes}", "code"]}, "parameters has no {code}"),
        ({"templates": {"code_reset": "R"}, "parameters": ["{minutes}"]}, "parameters has no {code}"),
    ],
)
def test_what_would_send_no_code_is_refused(given: dict[str, Any], told: str) -> None:
    (problem,) = problems(**given)
    assert problem.startswith(told)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"parameters": ["{code}"]},
        {"parameters": {"a": "x{code}y"}},
        {"templates": {"password_changed": "P"}, "parameters": []},
        {"templates": {template.value: "T" for template in Template}},
        {"notice_parameters": ["{detail}"]},
    ],
)
def test_what_can_be_sent_is_no_problem(given: dict[str, Any]) -> None:
    assert problems(**given) == []
