"""docs/contracts/careyshop.md section 3.3: the sign."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from menshen.wire.careyshop import sign
from menshen.wire.careyshop.parameters import of_body
from tests.harness import Harness
from tests.wire.careyshop import signing
from tests.wire.careyshop.shop import SECRET as APP_SECRET
from tests.wire.careyshop.shop import Shop

SECRET = "0123456789abcdef0123456789abcdef"


def test_the_contracts_example() -> None:
    parameters: dict[str, Any] = {
        "appkey": "11111111",
        "client_id": "1",
        "method": "get.user.item",
        "timestamp": "1795219000",
        "token": "0123456789abcdef0123456789abcdef",
    }
    assert sign.sign_of(parameters, SECRET) == "4c1c994371171c502c275f8edb0aacb9"


# Recorded: each was sent as this JSON beside the parameters below, and was let in.
RECORDED = [
    (r'"x1":"abc"', "6890bfa0ae0e7fcee5d49adf6aa95f0e", 0),
    (r'"x1":""', "1d3225496e8831b98cb1bda6a2edd167", 0),
    (r'"x1":" a b "', "c40221f379348b3a7b37c5e08128d00b", 0),
    (r'"x1":"中文é😀"', "48c386539240635f031cce41b4388662", 0),
    (r'"x1":"\u4e2d\u6587"', "374de206c1de12aa039db853bb94f0ec", 0),
    (r'"x1":"a+b&c=d%20/?#@"', "263d5aae892e7da59ea00a3961e20b9d", 0),
    (r'"x1":"@file"', "ae177c72a0fb33d2817f9c7654e87b1e", 0),
    (r'"x1":"l1\nl2\t"', "97e26cba4f38d58bda08f5de86c007c6", 0),
    (r'"x1":"\"\\\/"', "dec8a0f77727a75084a51c89009909b8", 0),
    (r'"x1":"0"', "e59258060b901c27b4a35d995d1bac5c", 0),
    (r'"x1":"<b>&amp;"', "055ace9a47890fd97201203d726e596a", 1),
    (r'"x1":5', "fc97d3b7f12adbc5fe2d8fdb38973cd1", 1),
    (r'"x1":-7', "162e4b4ee1da42d8d7945fbd89b0ffec", 1),
    (r'"x1":0', "358a1e973f9e0c9befb75d5d76918aa5", 1),
    (r'"x1":9007199254740993', "0e12e8107187e1826096d3abc82eb4c3", 1),
    (r'"x1":9223372036854775807', "a4f206f313f9a54dafd63e6c48b3c5a1", 1),
    (r'"x1":9223372036854775808', "d00f1255ea448efb98419bdfe29173f8", 1),
    (r'"x1":12345678901234567890', "8b8b87d9a2765b51fa1b997528dc735d", 1),
    (r'"x1":1.5', "c80ac640f8f79d89e21cb2c5d304589b", 1),
    (r'"x1":1.0', "2ea41ab299cf5a93a211a8a1e264b847", 1),
    (r'"x1":2.50', "1304cfe2972a75ae551e6e559aa2931f", 1),
    (r'"x1":0.1', "da57e689e751d93d460dbc242d6af6bb", 1),
    (r'"x1":0.30000000000000004', "2772ad9949321a8338098d8b76a6244a", 1),
    (r'"x1":1e3', "4fa697275fc5a43be368fd1f85881d64", 1),
    (r'"x1":1e20', "5c7f4a5bb9d50313bb18803570f39752", 1),
    (r'"x1":1e15', "7cab39f5734c180a5679c57aa6d87a4c", 1),
    (r'"x1":1e14', "0851aa0cf6a562db7c042d07e21478f1", 1),
    (r'"x1":123456789012345.0', "fed24526622066f77e760ad46ea7fb31", 1),
    (r'"x1":0.00001', "f7bc42faa8c06d5e221737b6592a7165", 1),
    (r'"x1":0.0001', "885477b93df6a622b4f476fd1eea19ce", 1),
    (r'"x1":-0.0', "440579b682a4899939593b5728f616d1", 1),
    (r'"x1":3.141592653589793', "2c0f98c4c028322080f51d009308ff6c", 1),
    (r'"x1":true', "2ea41ab299cf5a93a211a8a1e264b847", 1),
    (r'"x1":false', "753b38a27a0342096477ce444efeb441", 1),
    (r'"x1":null', "b07ac53fba73b500bd288f72b2d1207c", 1),
    (r'"x1":[1,2,3]', "b07ac53fba73b500bd288f72b2d1207c", 1),
    (r'"x1":{"a":1}', "b07ac53fba73b500bd288f72b2d1207c", 1),
    (r'"x1":[{"a":["b"]}]', "b07ac53fba73b500bd288f72b2d1207c", 1),
    (r'"":"v"', "b07ac53fba73b500bd288f72b2d1207c", 1),
    (r'"Zed":"v"', "d1c7c86ef3594c2bc6d5c7e7a5a7d2a2", 1),
    (r'"_k":"v"', "93253ee2f9f2f4bcee0e6313ab411903", 1),
    (r'"a-b":"v"', "18e28985e7e942fabc1b73a4e5536bfb", 1),
    (r'"a.b":"v"', "2b2451223497496a72a2a2e3bd0a36a0", 1),
    (r'"a b":"v"', "e00f3bd69552df825c5142338a3a7dda", 1),
    (r'"键":"v"', "8e7bb28381f1c4acd0356366580e096e", 1),
    (r'"app":"v"', "dc7bbaf41b60dacd4b3a930887e7466a", 1),
    (r'"a[b]":"v"', "41fc50613c168847f2c249708e3f1d94", 1),
    (r'"~k":"v"', "70ed80d15895f7b63adcce0c12376dc5", 1),
    (r'"b":"1","B":"2","a":"3","A":"4"', "94e62efbe953466f70f65a84126cb307", 1),
]


@pytest.mark.attack("SG-2", "SG-5")
@pytest.mark.parametrize(("extra", "expected", "second"), RECORDED)
def test_recorded_signs(extra: str, expected: str, second: int) -> None:
    body = (
        '{"method":"get.user.item","client_id":"1","token":"9ef066863d01e58f421f782e948bf0dd","appkey":"11111111",'
        f'"timestamp":"{1795220230 + second}",{extra},"sign":"{expected}"}}'
    )
    parameters = of_body(body.encode(), "application/json")
    assert parameters["sign"] == expected
    assert sign.fits(parameters, SECRET)


def test_a_recorded_call_of_every_type() -> None:
    body = (
        '{"appkey":11111111,"method":"get.user.item","client_id":1,"timestamp":1795220231,'
        '"token":"9ef066863d01e58f421f782e948bf0dd","a":true,"b":false,"c":null,"d":[1,{"x":2}],"e":{},"f":1.5,"g":"",'
        '"h":"中文 +&","Z":"up","n":-3,"big":1.2345678901234567e+19,"sign":"45a0c8874f50d886d54d03af18ad53b9"}'
    )
    assert sign.fits(of_body(body.encode(), "text/plain;charset=UTF-8"), SECRET)


@pytest.mark.attack("SG-2")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (1.0, "1"),
        (1e14, "1.0E+14"),
        (99999999999999.0, "99999999999999"),
        (0.00001, "1.0E-5"),
        (0.0001, "0.0001"),
        (-0.0, "-0"),
        (1.2345678901234567e300, "1.2345678901235E+300"),
        (5e-324, "4.9406564584125E-324"),
    ],
)
def test_floats_as_text(value: float, text: str) -> None:
    assert sign.float_text(value) == text == signing.float_as_text(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_as_text(value: float) -> None:
    assert sign.float_text(value) == signing.float_as_text(value)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(names, scalars, max_size=2)
parameter_sets = st.dictionaries(names, values, max_size=8)


def signed(parameters: dict[str, Any], secret: str = SECRET) -> dict[str, Any]:
    return {**parameters, "sign": signing.sign(parameters, secret)}


@given(parameter_sets, texts)
def test_whatever_is_signed_verifies(parameters: dict[str, Any], secret: str) -> None:
    assert sign.fits(signed(parameters, secret), secret)


@pytest.mark.attack("SG-2", "SG-5")
@given(parameter_sets, st.data())
def test_no_changed_value_verifies(parameters: dict[str, Any], data: st.DataObject) -> None:
    sent = signed(parameters)
    covered = [
        n for n, v in parameters.items() if n not in ("", "sign") and v is not None and not isinstance(v, dict | list)
    ]
    assume(covered)
    name = data.draw(st.sampled_from(covered))
    other = data.draw(scalars.filter(lambda value: value is not None))
    assume(signing.as_text(other) != signing.as_text(parameters[name]))
    assert not sign.fits({**sent, name: other}, SECRET)
    assert not sign.fits({n: v for n, v in sent.items() if n != name}, SECRET)


@given(parameter_sets, names.filter(lambda name: name not in ("", "sign")), scalars.filter(lambda v: v is not None))
def test_no_added_parameter_verifies(parameters: dict[str, Any], name: str, value: Any) -> None:
    assume(name not in parameters)
    assert not sign.fits({**signed(parameters), name: value}, SECRET)


@pytest.mark.attack("SG-4")
@given(parameter_sets, texts)
def test_no_other_secret_verifies(parameters: dict[str, Any], secret: str) -> None:
    assume(secret != SECRET)
    assert not sign.fits(signed(parameters, secret), SECRET)


@pytest.mark.attack("SG-4", "TY-10")
@pytest.mark.parametrize("wrong", [None, "", 5, 1.5, True, [], {}, "签" * 32, "\ud800" * 32, "0" * 32, "x" * 10_000])
def test_a_sign_of_any_shape_is_only_wrong(wrong: Any) -> None:
    assert not sign.fits({"a": "b", "sign": wrong}, SECRET)


def test_upper_case_is_wrong() -> None:
    sent = signed({"a": "b"})
    assert sent["sign"] != sent["sign"].upper()
    assert not sign.fits({**sent, "sign": sent["sign"].upper()}, SECRET)


def test_strange_texts_never_raise() -> None:
    strange = json.loads('{"\\ud800": "\\udfff", "\\u0000": "\\u0000", "n": "x"}')
    assert len(sign.sign_of(strange, "\ud800")) == 32


# --- what a right sign is worth ---


async def ask(h: Harness, **parameters: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await h.client.post("/api/v1/user", json=parameters)).json()
    return body


@pytest.mark.attack("SG-1")
async def test_a_sign_that_fits_grants_nothing(harness: Harness) -> None:
    """Two calls can share one sign, which joins names and values without a mark between them."""
    await harness.add_account("alice1", password="Passw0rd!")
    await harness.add_account("bobby1", password="Passw0rd!")
    shop = Shop(harness)
    token = (await shop.log_in("alice1", "Passw0rd!"))["token"]["token"]
    whole = shop.asked("set.user.item", client_id="1", token=token, nickname="ab")
    # The same bytes under the sign, cut at another place.
    moved = {**{k: v for k, v in whole.items() if k != "nickname"}, "nicknamea": "b"}
    assert signing.sign(moved, APP_SECRET) == whole["sign"]
    body = await ask(harness, **moved)
    assert "nickname" not in (body["data"] or {})
    # What a sign leaves out: arrays and objects. Unsigned, they change nobody else and nothing of the server's.
    body = await ask(harness, **whole, group_id=["1"], client={"id": "2"}, extra={"status": 0})
    assert body["status"] == 200
    for number in ("2", ["2"], {"0": "2"}):
        body = await ask(harness, **{**whole, "client_id": number})
        assert body["status"] in {403, 500}, number
    bob = await harness.store.read.accounts.find(2)
    assert bob is not None
    assert bob.profile.nickname == ""
    # A right sign without a token is still nobody.
    assert (await shop.call("get.user.info", client_id="1"))["status"] == 403
    batch = shop.asked(
        "x", batch=[{"version": "v1", "controller": "user", "method": "get.user.info", "client_id": "1"}]
    )
    batch.pop("method")
    batch["sign"] = signing.sign({name: value for name, value in batch.items() if name != "sign"}, APP_SECRET)
    answer = (await harness.client.post("/api/batch", json=batch)).json()
    assert [item["status"] for item in answer["data"]] == [500]
