"""/metrics: who may read it, what it tells, and that no label names anybody; traces where packages are installed."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from menshen.app.telemetry.instrument import instrument
from menshen.app.telemetry.metrics import TokenChecks, render
from menshen.app.telemetry.sends import RESULTS
from menshen.app.telemetry.tracing import find_tracer, traced_app
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Channel
from menshen.core.delivery.verdicts import Verdict
from menshen.core.gates.captcha_vendors import Asked
from menshen.core.problems import ProblemCode
from menshen.wire.probes.metrics import metrics_app
from tests.harness import Harness, open_harness
from tests.patience import CROWD
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import Client

PASSWORD = "Quiet-Otter-17"
PHONE = "13800138001"
CLOSED = {
    "channel": [*Channel],
    "result": [*RESULTS, "accepted"],
    "verdict": [*Verdict],
    "country": ["+86", ""],
    "event": [*Tag],
}


def samples() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = render(TokenChecks())[0].decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float:
    return samples().get((name, tuple(sorted(labels.items()))), 0.0)


async def test_logins_codes_and_checks_are_counted_by_outcome(harness: Harness) -> None:
    await harness.add_account("alice17", PHONE, password=PASSWORD)
    shop, client = Shop(harness), Client(harness)
    good = {"dialect": "careyshop", "method": "password", "outcome": "granted"}
    wrong = good | {"outcome": ProblemCode.WRONG_CREDENTIALS.value}
    before = [value("menshen_logins_total", **labels) for labels in (good, wrong)]
    checks = value("menshen_token_checks_total", outcome="good")
    sent = value("menshen_codes_sent_total", dialect="weidu", outcome="granted")
    by_code = value("menshen_logins_total", dialect="weidu", method="code", outcome="granted")
    token = (await shop.done("login.user.user", username="alice17", password=PASSWORD, platform="web"))["token"]
    await shop.call("login.user.user", username="alice17", password="wrong one", platform="web")
    await harness.flows.sessions.check(token["token"])
    code, captcha = await client.code(PHONE)
    await client.post("/users/mobile/login", login_id=PHONE, sms_code=code, captcha_token=captcha)
    harness.assembled.token_checks.flush()
    assert value("menshen_logins_total", **good) == before[0] + 1
    assert value("menshen_logins_total", **wrong) == before[1] + 1
    assert value("menshen_token_checks_total", outcome="good") == checks + 1
    assert value("menshen_codes_sent_total", dialect="weidu", outcome="granted") == sent + 1
    assert value("menshen_logins_total", dialect="weidu", method="code", outcome="granted") == by_code + 1
    assert value("menshen_flow_seconds_count", flow="login.password") >= 2


async def test_no_label_names_anybody(harness: Harness) -> None:
    """Every label's value comes from a closed list; nothing that was sent stands anywhere in the text."""
    await harness.add_account("alice17", PHONE, password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    await shop.call("login.user.user", username="alice17", password=PASSWORD, platform="my own words")
    await shop.call("no.such.method", appkey="99999999")
    await client.code(PHONE)
    # Without the figures, in which any digits can stand.
    text = re.sub(r"^([^#].*) \S+$", r"\1", render(TokenChecks())[0].decode(), flags=re.MULTILINE)
    assert 'menshen_logins_total{dialect="careyshop",method="password",outcome="granted"}\n' in text
    for secret in ("alice17", PHONE, "my own words", "99999999", "no.such.method", "127.0.0.1"):
        assert secret not in text
    codes = {code.value for code in (*ProblemCode, *Asked)} | {"granted", "fault", "good", "refused", "unavailable"}
    for name, labels in samples():
        for label, said in labels:
            if label == "outcome":
                assert said in codes, name
            elif label == "dialect":
                assert re.fullmatch(r"[a-z]*", said)
            elif label in CLOSED:
                assert said in CLOSED[label], name
            elif label in {"sender", "provider"}:
                # A name of the settings: whoever writes it is the operator.
                assert re.fullmatch(r"[a-z0-9-]{0,32}", said)
            else:
                assert label in {"method", "flow", "le", "what", "source", "generation", "implementation",
                                 "major", "minor", "patchlevel", "version"}, (name, label)  # fmt: skip


async def asked_from(
    ip: str, headers: dict[str, str] | None = None, *, proxies: int = 0, networks: tuple[str, ...] = ()
) -> int:
    app = metrics_app(lambda: (b"x 1\n", "text/plain"), networks, proxies)
    transport = httpx.ASGITransport(app, client=(ip, 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
        return (await client.get("/metrics", headers=headers)).status_code


async def test_only_this_machine_and_chosen_networks_may_read() -> None:
    assert await asked_from("127.0.0.1") == 200
    assert await asked_from("127.9.9.9") == 200
    assert await asked_from("::1") == 200
    assert await asked_from("192.0.2.1") == 404
    assert await asked_from("192.0.2.1", networks=("192.0.2.0/24",)) == 200
    assert await asked_from("2001:db8::5", networks=("192.0.2.0/24", "2001:db8::/64")) == 200
    assert await asked_from("0.0.0.0") == 404


async def test_a_proxy_on_this_machine_lets_nobody_in() -> None:
    for header in ("x-forwarded-for", "x-real-ip", "forwarded"):
        assert await asked_from("127.0.0.1", {header: "127.0.0.1"}) == 404
    assert await asked_from("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, proxies=1) == 404
    assert await asked_from("127.0.0.1", {"x-forwarded-for": "127.0.0.1, 203.0.113.9"}, proxies=1) == 404
    assert (
        await asked_from("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, proxies=1, networks=("203.0.113.0/24",))
        == 200
    )


async def test_it_is_served_by_the_application(harness: Harness) -> None:
    answer = await harness.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "menshen_hashes_waiting" in answer.text
    assert (await harness.client.post("/metrics")).status_code == 405
    async with harness.client_from("192.0.2.1") as stranger:
        assert (await stranger.get("/metrics")).json() == {"error": "not_found"}


async def test_the_lag_of_revocations_and_the_pool_are_told(tmp_path: Path, postgres_url: str) -> None:
    import asyncio

    import asyncpg

    from menshen.app.telemetry.metrics import Watch

    async with open_harness(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as harness:
        await harness.add_account("alice17", password=PASSWORD)
        before = value("menshen_revocation_lag_seconds_count")
        told = await Shop(harness).done("login.user.user", username="alice17", password=PASSWORD, platform="web")
        token = told["token"]["token"]
        async with asyncio.timeout(60):
            # What is not remembered has no lag.
            while harness.flows.sessions.recall(token) is None:
                assert await harness.flows.sessions.check(token)
                await asyncio.sleep(0.02)
            connection = await asyncpg.connect(postgres_url)
            await connection.execute("DELETE FROM sessions")
            await connection.close()
            watch = Watch(harness.store, harness.assembled.hasher, harness.assembled.token_checks)
            watch.read()
            while (
                value("menshen_revocation_lag_seconds_count") <= before
                or value("menshen_revocation_silence_seconds") >= 0.4
            ):
                await asyncio.sleep(0.02)
                watch.read()
        assert value("menshen_pool", what="most") == CROWD
        assert value("menshen_database_away") == 0


# --- traces -----------------------------------------------------------------------------------------------------------


class Recorder:
    """A tracer that writes down what it is asked."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        self.said.append(name)
        yield

    @contextmanager
    def continued(self, headers: Any) -> Iterator[None]:
        self.said.append(headers.get("traceparent", ""))
        yield


async def test_use_cases_become_spans_below_their_callers(harness: Harness) -> None:
    tracer = Recorder()
    flows = instrument(harness.flows, TokenChecks(), tracer)
    assert await flows.account.find("nobody") is None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await flows.account.find("nobody")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(traced_app(app, tracer, "weidu"))
    async with httpx.AsyncClient(transport=transport, base_url="http://traced") as client:
        await client.get("/", headers={"traceparent": "00-1-2-01"})
    assert tracer.said == ["menshen.account.find", "00-1-2-01", "weidu GET", "menshen.account.find"]


def test_without_the_packages_there_is_no_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert find_tracer({}) is None


def test_with_them_there_is_one_unless_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that are used of OpenTelemetry's interface; its packages are no requirement of the tests."""
    made = Recorder()
    api = types.SimpleNamespace(get_tracer=lambda name: types.SimpleNamespace(
        start_as_current_span=lambda span, **_: made.span(f"{name}:{span}")
    ))  # fmt: skip
    context = types.SimpleNamespace(attach=lambda extracted: extracted, detach=made.said.append)
    propagate = types.SimpleNamespace(extract=lambda headers: headers["traceparent"])
    package = types.ModuleType("opentelemetry")
    for name, module in (("context", context), ("propagate", propagate), ("trace", api)):
        setattr(package, name, module)
    monkeypatch.setitem(sys.modules, "opentelemetry", package)
    assert find_tracer({"OTEL_SDK_DISABLED": "true"}) is None
    tracer = find_tracer({})
    assert tracer
    with tracer.continued({"traceparent": "1-2-3"}), tracer.span("inner"):
        pass
    assert made.said == ["menshen:inner", "1-2-3"]
