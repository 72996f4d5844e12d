"""A dry run of every type of sender shows its request, and no secret, number or code in any form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, unquote_plus

import msgspec
import pytest

from menshen.app.plugins import PACKAGES, names_in
from menshen.cli.sms.dry_run import RecordingOutward, hider_of, rehearse, secrets_in, shown_request
from menshen.core.secret import Secret
from menshen.core.text.hidden import MASK, Hider
from menshen.ports.outward import Request
from tests.adapters.delivery.senders import case_of
from tests.cli.conftest import Menshen
from tests.cli.sms.conftest import KEY, NUMBER, Choose, Vendor, home, inside
from tests.cli.sms.test_trying import days, spent

TYPES = [name for name in names_in(PACKAGES["sms"]) if "request" in case_of("sms", name).recorded]
ODD = 'p"w+/ä%门\\ =&~'


def readings(text: str) -> set[str]:
    """What a reader makes of a text who undoes what it is written in, one by one."""
    found = {text}
    for _ in range(3):
        found |= {undo(one) for one in found for undo in (unquote, unquote_plus, unescaped)}
    return found


def unescaped(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"')
    except ValueError:
        return text.replace("\\", "")


def odd(settings: Any) -> Any:
    """The same settings with a secret that is changed by each encoding."""
    secrets = [name for name in settings.__struct_fields__ if isinstance(getattr(settings, name), Secret)]
    names = [name for name in secrets if getattr(settings, name) and "id" not in name]
    return msgspec.structs.replace(settings, **dict.fromkeys(names, Secret(ODD)))


@pytest.mark.parametrize("plain", [True, False], ids=["recorded secrets", "odd secrets"])
@pytest.mark.parametrize("name", TYPES)
async def test_nothing_leaks(name: str, plain: bool) -> None:
    case = case_of("sms", name)
    settings = case.settings() if plain else odd(case.settings())
    outward = RecordingOutward()
    await rehearse(case.module.build(settings, outward), case.handover())
    (request,) = outward.requests
    message = case.message
    shown = json.dumps(shown_request(request, hider_of(settings, message)), ensure_ascii=False)
    hidden = [*secrets_in(settings), message.to, message.to.lstrip("+"), message.to[3:], message.code]
    assert message.code
    assert len(hidden) > 4
    leaks = [value for value in hidden for reading in readings(shown) if value in reading]
    assert leaks == []
    assert not Hider(hidden).shows(shown)
    assert MASK in shown
    # What is no secret is there: it is what the operator looks for.
    told = json.loads(shown)
    assert told["method"] == request.method
    assert told["url"].partition("?")[0].startswith("http")
    assert told["headers"]


@pytest.mark.parametrize("name", TYPES)
async def test_no_signature_is_shown(name: str) -> None:
    """It would prove a request that was never made."""
    case = case_of("sms", name)
    outward = RecordingOutward()
    await rehearse(case.module.build(case.settings(), outward), case.handover())
    (request,) = outward.requests
    shown = json.dumps(shown_request(request, hider_of(case.settings(), case.message)))
    proofs = [
        value.rpartition("ignature=")[2]
        for header, value in request.headers.items()
        if header.lower().endswith("signature") or "ignature=" in value
    ]
    assert [proof for proof in proofs if proof in shown] == []
    assert [proof for proof in proofs if len(proof) < 16] == []


def test_types_were_found() -> None:
    assert {"specimen", "webhook", "aliyun", "tencent", "twilio", "volcengine", "huawei"} <= {*TYPES}


def test_a_number_is_hidden_with_and_without_its_country() -> None:
    message = replace(case_of("sms", "specimen").message, to="+85261234567", code="482913")
    request = Request(
        "POST", "https://a.example/?to=61234567&all=%2B85261234567&x=0085261234567", {"X-To": "85261234567"}, b"482913"
    )
    shown = shown_request(request, hider_of((), message))
    assert shown["url"] == f"https://a.example/?to={MASK}&all={MASK}&x=00{MASK}"
    assert (shown["headers"], shown["body"]) == ({"X-To": MASK}, MASK)


def test_it_sends_and_charges_nothing(menshen: Menshen, data: Path, vendor: Vendor, choose: Choose) -> None:
    choose(home(vendor, per_day=1))
    for _ in range(3):
        told = menshen("sms", "test", "--to", NUMBER, "--dry-run", "--json").json()
        assert told["sender"] == "home"
        (request,) = told["requests"]
        assert (request["method"], request["url"]) == ("POST", vendor.url)
        assert request["headers"]["Authorization"] == f"Bearer {MASK}"
        assert json.loads(request["body"])["to"] == MASK
    out = menshen("sms", "test", "--to", NUMBER, "--dry-run").out
    assert out.splitlines()[0] == f"POST {vendor.url}"
    assert KEY not in out
    assert NUMBER[3:] not in out
    assert vendor.asked == []
    assert days(data) == []
    assert spent(menshen)["all"] == 0
    assert [row["event"] for row in menshen("audit", "--json").json()] == ["app.added"]


def test_a_sender_that_makes_no_request_says_why(menshen: Menshen, choose: Choose) -> None:
    """Tencent needs a signature for the mainland, and refuses without a call."""
    table = dict(case_of("sms", "tencent").recorded["settings"])
    table.pop("sign_name", None)
    choose({"name": "shanghai", "type": "tencent", **table})
    done = menshen("sms", "test", "--to", NUMBER, "--dry-run")
    assert done.code == 1
    assert done.err.startswith("menshen: sender shanghai makes no request: ")


def test_the_address_for_receipts_is_hidden_too(menshen: Menshen, data: Path, choose: Choose) -> None:
    choose({"name": "main", **cast("dict[str, Any]", case_of("sms", "huawei").recorded["settings"]), "type": "huawei"})
    secret = inside(data, secret_of)
    settings = {**case_of("sms", "huawei").recorded["settings"], "status_callback": f"https://a.example/{secret}"}
    choose({"name": "main", "type": "huawei", **settings})
    out = menshen("sms", "test", "--to", NUMBER, "--dry-run").out
    assert "a.example" in unquote(out) or MASK in out
    assert secret not in out


async def secret_of(found: Any) -> str:
    return str(found.keyring.receipt_secret("main"))
