"""docs/contracts/careyshop.md section 2: answers by their exact bytes."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.careyshop import problems, texts
from menshen.wire.careyshop.envelope import Answer, AnswerFormat, format_of, http_status, render


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(200, "success", data=True), '{"status":200,"message":"success","data":true}'),
        (Answer(200, "success", []), '{"status":200,"message":"success","data":null}'),
        (Answer(200, "success", {}), '{"status":200,"message":"success","data":null}'),
        (Answer(200, "success", 0), '{"status":200,"message":"success","data":null}'),
        (Answer(200, "success", ""), '{"status":200,"message":"success","data":null}'),
        (Answer(200, "success", data=False), '{"status":200,"message":"success","data":null}'),
        (Answer(401, "未授权或授权已过期"), '{"status":401,"message":"未授权或授权已过期","data":null}'),
        (
            Answer(200, "success", {"a": "/<>&'é中😀\u2028\u2029\x01\n\"\\", "b": [None, False, "", 0]}),
            (
                '{"status":200,"message":"success","data":{"a":"\\/<>&\'é中😀\\u2028\\u2029\\u0001\\n\\"\\\\",'
                '"b":[null,false,"",0]}}'
            ),
        ),
    ],
)
def test_json(answer: Answer, text: str) -> None:
    assert render(answer, AnswerFormat()) == ("application/json; charset=utf-8", text.encode())
    assert render(answer, AnswerFormat("jsonp", "cb_1.x")) == (
        "application/javascript; charset=utf-8",
        f"cb_1.x({text});".encode(),
    )


def test_jsonp_without_a_callback() -> None:
    body = render(Answer(200, "success", data=True), format_of({"format": "jsonp", "callback": ""}))[1]
    assert body == b'jsonpReturn({"status":200,"message":"success","data":true});'


HEAD = '<?xml version="1.0" encoding="utf-8"?><careyshop>'


@pytest.mark.parametrize(
    ("data", "inner"),
    [
        (True, "1"),
        (None, ""),
        ("", ""),
        ({"captcha": False, "session_id": ""}, "<captcha></captcha><session_id></session_id>"),
        ({"n": 1, "f": 1.5, "t": True, "k": None}, "<n>1</n><f>1.5</f><t>1</t><k></k>"),
        (["a", {"b": ["c"]}], '<item id="0">a</item><item id="1"><b><item id="0">c</item></b></item>'),
        ({"nickname": "小明 Bob<b>&\"'"}, "<nickname>小明 Bob&lt;b&gt;&amp;&quot;&#39;</nickname>"),
        ({"x": "]]>\x00\x01\x0b\ufffe\uffff ok"}, "<x>]]&gt; ok</x>"),
        ({'a><b onload="x"': 1}, '<item id="a&gt;&lt;b onload=&quot;x&quot;">1</item>'),
    ],
)
def test_xml(data: Any, inner: str) -> None:
    expected = f"{HEAD}<status>200</status><message>success</message><data>{inner}</data></careyshop>"
    assert render(Answer(200, "success", data), AnswerFormat("xml")) == ("text/xml; charset=utf-8", expected.encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.attack("CK-7")
@given(json_values)
def test_xml_is_always_well_formed(data: Any) -> None:
    body = render(Answer(200, "success", data), AnswerFormat("xml"))[1]
    tree = ET.fromstring(body)
    assert [child.tag for child in tree] == ["status", "message", "data"]


@given(st.text(st.characters(), max_size=30))
def test_no_text_breaks_an_answer(text: str) -> None:
    for form in (AnswerFormat(), AnswerFormat("jsonp"), AnswerFormat("xml")):
        assert render(Answer(200, "success", {"x": text}), form)[1]


@pytest.mark.parametrize(
    ("parameters", "form"),
    [
        ({}, AnswerFormat()),
        ({"format": "json", "callback": "cb"}, AnswerFormat()),
        ({"format": "JSONP"}, AnswerFormat()),
        ({"format": ["xml"]}, AnswerFormat()),
        ({"format": "xml"}, AnswerFormat("xml")),
        ({"format": "jsonp"}, AnswerFormat("jsonp", "jsonpReturn")),
        ({"format": "jsonp", "callback": None}, AnswerFormat("jsonp", "jsonpReturn")),
        ({"format": "jsonp", "callback": "cb"}, AnswerFormat("jsonp", "cb")),
        ({"format": "jsonp", "callback": "alert(1)"}, AnswerFormat()),
        ({"format": "jsonp", "callback": ["cb"]}, AnswerFormat()),
        ({"format": "jsonp", "callback": 5}, AnswerFormat()),
    ],
)
def test_the_asked_manner(parameters: dict[str, Any], form: AnswerFormat) -> None:
    assert format_of(parameters) == form


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_http_status(status: int) -> None:
    assert http_status(status, secure=False, mirrored=False) == 200
    assert http_status(status, secure=True, mirrored=False) == status
    assert http_status(status, secure=False, mirrored=True) == status


def test_the_table_of_problems_is_total() -> None:
    assert set(problems.TABLE) == set(ProblemCode)
    assert {status for status, _ in problems.TABLE.values()} == {401, 403, 500}
    for code in ProblemCode:
        refused = problems.refusal(Denied(code, retry_after=7))
        assert refused.text
        assert refused.retry_after == 7


def test_refusals_with_numbers_and_fields() -> None:
    assert problems.refusal(Denied(ProblemCode.TOO_MANY_REQUESTS, 42)).text == "操作过于频繁，请42秒后重试"
    assert problems.refusal(Denied(ProblemCode.TOO_MANY_REQUESTS)).text == "操作过于频繁，请稍后重试"
    taken = {"username": "账号已存在", "phone": "手机号已存在", "nickname": "昵称已存在"}
    for field, text in taken.items():
        assert problems.refusal(Denied(ProblemCode.ALREADY_TAKEN, field=field)).text == text


def test_no_refusal_tells_whether_an_account_exists() -> None:
    same = (ProblemCode.WRONG_CREDENTIALS, ProblemCode.ACCOUNT_DISABLED, ProblemCode.NOT_REGISTERED)
    assert {problems.TABLE[code] for code in same} == {(500, texts.CREDENTIALS)}
