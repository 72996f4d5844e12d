"""docs/contracts/careyshop.md section 1.2: where parameters come from, and how form names are read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.wire.careyshop import texts
from menshen.wire.careyshop.addresses import Target, target_of
from menshen.wire.careyshop.parameters import MAX_PARAMETERS, merged, of_body, of_path, of_query
from menshen.wire.careyshop.problems import Refused
from tests.cost import TimeBudget, budgeted

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("=1&&a=2", {"a": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ("a+b=c+d%20%E4%B8%AD", {"a_b": "c d 中"}),
        ("a.b=1", {"a_b": "1"}),
        ("+a=1", {"a": "1"}),
        ("a%5B%5D=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("a[1]=x", {"a": {"1": "x"}}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[b.c]=1", {"a": {"b.c": "1"}}),
        ("a[]=1&a=2", {"a": "2"}),
        ("a=1&a[]=2", {"a": ["2"]}),
        ("a[=1", {"a_": "1"}),
        ("[a]=1", {"_a]": "1"}),
        ("a[b]c=1", {"a": {"b": "1"}}),
        ("a=%2B%26%3D", {"a": "+&="}),
        ("a=%zz", {"a": "%zz"}),
        ("a=%FF&b=1", {}),
        ("a=%00&b=1", {}),
        ("batch[0][method]=x&batch[1][method]=y", {"batch": [{"method": "x"}, {"method": "y"}]}),
    ],
)
def test_form_names(query: str, expected: dict[str, Any]) -> None:
    assert of_query(query.encode()) == expected
    assert of_body(query.encode(), FORM) == expected


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/json",
        "application/vnd.api+json",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/octet-stream",
        "",
        FORM,
    ],
)
def test_json_under_any_type_that_says_or_holds_it(content_type: str) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        raw = mark + b' {"a":1,"b":[true,null],"c":"x"}'
        assert of_body(raw, content_type) == {"a": 1, "b": [True, None], "c": "x"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"5",
        b'"x"',
        b"[1,2]",
        b"null",
        b'{"a":1,}',
        b'{"a":',
        b"a=1&b=2",
        b'\xef\xbb\xbf\xef\xbb\xbf{"a":1}',
        b"\xef\xbb\xbf",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":"\xff"}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b'{"a":1,"a":2}',
        b'{"a":' + b"9" * 400 + b"}",
    ],
)
def test_junk_is_no_parameters(raw: bytes) -> None:
    assert of_body(raw, "application/json") == {}


def test_types_that_are_neither() -> None:
    assert of_body(b"a=1", "text/plain") == {}
    assert of_body(b"<a/>", "application/xml") == {}


def test_integers_beyond_64_bits_are_floats() -> None:
    made = of_body(b'{"a":9223372036854775807,"b":9223372036854775808,"c":-9223372036854775809}', "text/plain")
    assert made == {"a": 2**63 - 1, "b": 2.0**63, "c": -(2.0**63)}
    assert type(made["b"]) is float


def multipart(*parts: tuple[str, str]) -> bytes:
    return b"".join(
        f"--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n".encode() for head, data in parts
    ) + (b"--X--\r\n")


MULTIPART = "multipart/form-data; boundary=X"


def test_multipart() -> None:
    raw = multipart(('name="a.b"', "1\r\n2"), ('name="list[]"', "中"), ('name="file"; filename="f"', "x"), ("x=y", "z"))
    assert of_body(raw, MULTIPART) == {"a_b": "1\r\n2", "list": ["中"]}


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (multipart(('name="a"', "1")), "multipart/form-data"),
        (multipart(('name="a"', "1")), "multipart/form-data; boundary=Y"),
        (multipart(('name="a"', "1")), "multipart/form-data; boundary=" + "X" * 5000),
        (multipart(('name="a"', "1")).replace(b"1", b"\xff"), MULTIPART),
        (multipart(('name="a"', "1")).replace(b'"a"', b'"\xff"'), MULTIPART),
        (b"--X\r\nno header\r\n\r\n1\r\n--X--\r\n", MULTIPART),
        (b"garbage", MULTIPART),
    ],
)
def test_broken_multipart_is_no_parameters(raw: bytes, content_type: str) -> None:
    assert of_body(raw, content_type) == {}


def test_path_pairs() -> None:
    assert of_path([b"a", b"1", b"b", b"x%2Fy", b"c.d", b"a+b", b"%E9%94%AE", b"v", b"odd"]) == {
        "a": "1",
        "b": "x/y",
        "c.d": "a+b",
        "键": "v",
    }
    assert of_path([b"a", b"%FF"]) == {}
    assert of_path([b"index"]) == {}


def test_the_later_source_wins() -> None:
    assert merged({"a": "query", "b": "query", "c": "query"}, {"a": 1, "b": None}, {"a": "path"}) == {
        "a": "path",
        "b": None,
        "c": "query",
    }


@pytest.mark.attack("RS-3")
def test_no_more_than_64_parameters() -> None:
    many = {f"k{i}": "" for i in range(MAX_PARAMETERS)}
    assert len(merged(many)) == MAX_PARAMETERS
    over = json.dumps({**many, "one": "more"}).encode()
    parts = multipart(*((f'name="k{i}"', "") for i in range(65)))
    for read in (
        lambda: merged(many, {"one": "more"}),
        lambda: of_query(b"&".join(b"a" for _ in range(65))),
        lambda: of_path([b"a"] * 130),
        lambda: of_body(over, "text/plain"),
        lambda: of_body(parts, MULTIPART),
    ):
        with pytest.raises(Refused) as refused:
            read()
        assert refused.value.text == texts.TOO_MANY_PARAMETERS


@pytest.mark.attack("RS-6")
@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b'{"a":' + b"[" * 8 + b"]" * 8 + b"}", "application/json"),
        (b'{"a":' * 100_000, "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' + b"[" * 100_000, "text/plain"),
        (b"a" + b"[x]" * 8 + b"=1", FORM),
        (b"a" + b"[]" * 5000 + b"=1", FORM),
    ],
)
@budgeted
def test_too_deep_is_told_in_no_time(raw: bytes, content_type: str, budget: TimeBudget) -> None:
    def read() -> None:
        with pytest.raises(Refused) as refused:
            of_body(raw, content_type)
        assert refused.value.text == texts.TOO_DEEP

    budget.hold(read, 0.5)


def test_eight_levels_are_read() -> None:
    assert of_body(b'{"a":' + b"[" * 7 + b"]" * 7 + b"}", "application/json") == {"a": [[[[[[[]]]]]]]}
    assert of_body(b"a" + b"[x]" * 7 + b"=1", FORM)["a"]


@given(st.binary(max_size=300), st.sampled_from(["application/json", "text/plain", FORM, MULTIPART, "", "x/y"]))
def test_no_bytes_raise(raw: bytes, content_type: str) -> None:
    assert isinstance(of_body(raw, content_type), dict)
    assert isinstance(of_query(raw), dict)


PATHS = [
    ("/api/v1/user", Target(controller="user")),
    ("/api/v1/user/", Target(controller="user")),
    ("/api/v1/user.html", Target(controller="user")),
    ("/api/v1/User", Target(controller="user")),
    ("//api//v1//user", Target(controller="user")),
    ("/index.php/api/v1/user", Target(controller="user")),
    ("/api/v1/userLevel", Target(controller="userlevel")),
    ("/api/v1/User_Level", Target(controller="userlevel")),
    ("/api/v1/user/method/x.html", Target(controller="user", pairs=(b"method", b"x"))),
    ("/api/v1/user/a/x%2Fy/", Target(controller="user", pairs=(b"a", b"x%2Fy"))),
    ("/api/v1/us%65r", Target(controller="user")),
    ("/api/batch", Target(batch=True)),
    ("/api/batch/x", Target(batch=True)),
    ("/api/batch.html", Target(batch=True)),
    ("/api", Target()),
    ("/api/v1", Target()),
    ("/api/V1/user", Target()),
    ("/api/v2/user", Target()),
    ("/api/v1.user/index", Target()),
    ("/api/v1/user.json", Target()),
    ("/api/v1/nope", Target()),
    ("/api/v1/batch", Target()),
    ("/api/v1%2Fuser", Target()),
    ("/api/v1/%FF", Target()),
]


@pytest.mark.parametrize(("path", "target"), PATHS)
def test_paths(path: str, target: Target) -> None:
    assert target_of({"type": "http", "path": "/other", "raw_path": path.encode()}) == target


def test_a_server_without_raw_paths() -> None:
    assert target_of({"type": "http", "path": "/api/v1/user/a/中"}).controller == "user"
