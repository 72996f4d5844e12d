"""What is to be hidden is found in each form in which a request can hold it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import product
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.text.hidden import MASK, Hider

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, all of it": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent, small digits": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "form": quote_plus,
    "json": json.dumps,
    "json, UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of a URL": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "Basic": lambda text: base64.b64encode(f"AC1:{text}".encode()).decode(),
    "Basic, in front": lambda text: base64.b64encode(f"{text}:x".encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
}
VALUES = [
    "k-5f2d1c9a7b",
    "a b+c/d=e",
    'q"uo\\te',
    "门神密钥",
    "𝔘𝔫𝔦 key",
    "~tilde*star'",
    "line\nbreak",
    "%41%42",
    "..--__",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_hidden_in_two_forms_one_over_the_other(value: str) -> None:
    hider = Hider([value])
    for inner, outer in product(FORMS, FORMS):
        hidden = hider.hide(f"a=1&x={FORMS[outer](FORMS[inner](value))}&y=2")
        assert MASK in hidden, (inner, outer)
        assert not hider.shows(hidden), (inner, outer)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", [one for one in FORMS if "Basic" not in one])
def test_what_stands_beside_it_stays(value: str, form: str) -> None:
    held = f"GET /?SignName=abc&TemplateParam={FORMS[form](value)}&Version=2017"
    hidden = Hider([value]).hide(held)
    assert hidden.startswith("GET /?SignName=abc&TemplateParam=")
    assert hidden.endswith("&Version=2017")


def test_a_text_without_a_value_is_unchanged() -> None:
    text = 'POST /?a=b%20c {"x": "\\u95e8"} Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    assert Hider(["k-5f2d1c9a7b", "+8613544285662"]).hide(text) == text
    assert Hider(["", ""]).hide(text) == text
    assert Hider([]).hide("") == ""


def test_the_longer_of_two_values_is_hidden_whole() -> None:
    assert Hider(["13544285662", "+8613544285662", "8613544285662"]).hide("to=%2B8613544285662.") == f"to={MASK}."


def test_a_text_whose_value_no_pattern_finds_is_hidden_whole() -> None:
    value = "k-5f2d1c9a7b"
    odd = value.encode().hex().encode().hex().encode().hex()
    assert Hider([value]).hide(f"x={odd}&y=2") == MASK


@given(st.text(min_size=4, max_size=20), st.lists(st.sampled_from([*FORMS]), max_size=2), st.text(max_size=20))
def test_any_value_in_any_forms_is_hidden(value: str, forms: list[str], beside: str) -> None:
    held = value
    try:
        for form in forms:
            held = FORMS[form](held)
    except UnicodeEncodeError:
        return
    hidden = Hider([value]).hide(beside + held + beside)
    assert not Hider([value]).shows(hidden)


@given(st.text(), st.lists(st.text(max_size=30)))
def test_it_raises_nothing(text: str, values: list[str]) -> None:
    assert isinstance(Hider(values).hide(text), str)


def test_a_form_and_its_json_are_hidden() -> None:
    body = urlencode({"TemplateParam": json.dumps({"code": "482913", "name": "门神"}), "To": "+8613544285662"})
    hidden = Hider(["482913", "+8613544285662"]).hide(body)
    assert hidden == f"TemplateParam=%7B%22code%22%3A+%22{MASK}%22%2C+%22name%22%3A+%22%5Cu95e8%5Cu795e%22%7D&To={MASK}"
