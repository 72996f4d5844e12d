"""F10 and F11: clocks that disagree, and a sender that fails, hangs or lies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from menshen.core.delivery.messages import Message
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows.upkeep.sweep import sweep
from menshen.ports.delivery import Accepted, DeliveryFailed, Handover
from tests.faults.waiting import until
from tests.harness import Clock, Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import Client

PASSWORD = "Quiet-Otter-17"
PHONE = "13800138001"


SKEWS = pytest.mark.parametrize("skew", [5 * SECOND, 60 * SECOND, -60 * SECOND])


@SKEWS
async def test_two_nodes_whose_clocks_disagree(tmp_path: Path, postgres_url: str, skew: int) -> None:
    await disagree(tmp_path, postgres_url, skew)


@pytest.mark.timing
@SKEWS
async def test_the_other_node_hears_of_an_end_in_time_whatever_its_clock_says(
    tmp_path: Path, postgres_url: str, skew: int
) -> None:
    assert await disagree(tmp_path, postgres_url, skew) < 0.5


async def disagree(folder: Path, url: str, skew: int) -> float:
    """R3, R4, R6 hold: neither a code, nor a session, nor its end is a matter of whose clock is right.

    Seconds from the end of a session on one node to its refusal by the other.
    """
    where = {"MENSHEN_STORAGE__URL": url}
    ahead = Clock()
    ahead.advance(skew)
    async with open_harness(folder, where) as here, open_harness(folder, where, clock=ahead) as there:
        await here.add_account("alice17", PHONE, password=PASSWORD)
        code, captcha = await Client(here).code(PHONE)
        ahead.at = here.clock.at + skew
        body = {"login_id": PHONE, "sms_code": code, "captcha_token": captcha}
        answers = await asyncio.gather(
            *(Client(node).call("POST", "/users/mobile/login", body) for node in (here, there) * 5)
        )
        assert [a.status_code for a in answers].count(200) == 1
        tokens = []
        for node in (here, there, here):
            answer = await Shop(node).done(
                "login.user.user", username="alice17", password=PASSWORD, platform="web",
            )  # fmt: skip
            tokens.append(answer["token"])
        # Newer is what came later, not what bears the later time.
        assert [await here.store.inner.read.sessions.check(_digest(t["token"])) is not None for t in tokens] == [
            False, False, True,
        ]  # fmt: skip
        pair = {"token": tokens[-1]["token"], "refresh": tokens[-1]["refresh"]}
        renewed = (await Shop(there).done("refresh.user.token", **pair))["token"]
        await Shop(here).done("logout.user.user", token=renewed["token"])

        async def is_refused() -> bool:
            return await there.flows.sessions.check(renewed["token"]) is None

        heard = asyncio.create_task(until(is_refused))
        for node in (here, there):
            assert (await Shop(node).call("refresh.user.token", **pair))["status"] != 200
        assert await here.flows.sessions.check(renewed["token"]) is None
        return await heard


def _digest(token: str) -> bytes:
    from menshen.core.tokens import digest

    return digest(token)


@pytest.mark.attack("SG-7")
@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY])
async def test_a_clock_that_jumps(harness: Harness, jump: int) -> None:
    """Nothing ended comes back, nothing is spent twice, and people log in afterwards."""
    await harness.add_account("alice17", PHONE, password=PASSWORD)
    shop = Shop(harness)
    ended = (await shop.done("login.user.user", username="alice17", password=PASSWORD, platform="web"))["token"]
    await shop.done("logout.user.user", token=ended["token"])
    code, captcha = await Client(harness).code(PHONE)
    body = {"login_id": PHONE, "sms_code": code, "captcha_token": captcha}
    assert (await Client(harness).call("POST", "/users/mobile/login", body)).status_code == 200
    harness.clock.advance(jump)
    assert await harness.flows.sessions.check(ended["token"]) is None
    assert (await Client(harness).call("POST", "/users/mobile/login", body)).status_code != 200
    await sweep(store=harness.store, world=harness.clock, audit_days=180)
    assert await harness.flows.sessions.check(ended["token"]) is None
    await shop.done("login.user.user", username="alice17", password=PASSWORD, platform="web")


class Carrier:
    """A sender that does what its name says, and remembers what it was handed."""

    def __init__(self, mood: str) -> None:
        self.mood = mood
        self.handed: list[Message] = []

    async def send(self, handover: Handover) -> Accepted:
        self.handed.append(handover.message)
        if self.mood == "refuses":
            raise DeliveryFailed("451")
        if self.mood == "breaks":
            raise ConnectionResetError
        if self.mood == "hangs":
            await asyncio.sleep(3600)
        return Accepted()


MOODS = pytest.mark.parametrize("mood", ["refuses", "breaks", "hangs"])


@MOODS
async def test_a_bad_sender_slows_nobody_down_and_counts_once(harness: Harness, mood: str) -> None:
    await ask_beside_a_bad_sender(harness, mood)


@pytest.mark.timing
@MOODS
async def test_a_code_comes_in_time_beside_a_bad_sender(harness: Harness, mood: str) -> None:
    assert await ask_beside_a_bad_sender(harness, mood) < 2


async def ask_beside_a_bad_sender(harness: Harness, mood: str) -> float:
    """F11: asking for a code is answered as ever, its limit counts once, and the code is good meanwhile.

    Seconds until a code was asked for and known.
    """
    await harness.add_account("alice17", PHONE, password=PASSWORD)
    carrier = Carrier(mood)
    client = Client(harness)
    loop = asyncio.get_running_loop()
    deliver = asyncio.create_task(_deliver(harness, carrier))
    began = loop.time()
    code, captcha = await client.code(PHONE)
    seconds = loop.time() - began
    await until(lambda: carrier.handed)
    again = await client.call(
        "POST", "/users/mobile/sms", {"mobile": PHONE, "captcha_token": await client.captcha(), "purpose": "login"}
    )
    assert again.status_code == 429
    body = {"login_id": PHONE, "sms_code": code, "captcha_token": captcha}
    assert (await client.call("POST", "/users/mobile/login", body)).status_code == 200
    await Shop(harness).done("login.user.user", username="alice17", password=PASSWORD, platform="web")
    assert not deliver.done(), "what hangs hangs still"
    deliver.cancel()
    await asyncio.gather(deliver, return_exceptions=True)
    assert len(carrier.handed) == 1
    return seconds


async def _deliver(harness: Harness, carrier: Carrier) -> None:
    while True:
        await harness.deliver(carrier)
        await asyncio.sleep(0.01)


async def test_only_what_was_provably_not_sent_is_tried_again_and_not_for_ever(harness: Harness) -> None:
    await harness.add_account("alice17", PHONE, password=PASSWORD)
    await Client(harness).code(PHONE)
    carrier = Carrier("refuses")
    for _ in range(60):
        await harness.deliver(carrier)
        harness.clock.advance(MINUTE)
    # After the second minute, nobody needs the code any more.
    assert len(carrier.handed) == 3


async def test_two_workers_never_send_a_message_twice(tmp_path: Path, postgres_url: str) -> None:
    where = {"MENSHEN_STORAGE__URL": postgres_url}
    async with open_harness(tmp_path, where) as here, open_harness(tmp_path, where) as there:
        await here.add_account("alice17", PHONE, password=PASSWORD)
        await Client(here).code(PHONE)
        carrier = Carrier("sends")
        await asyncio.gather(*(node.deliver(carrier, world=here.clock) for node in (here, there) * 5))
        assert len(carrier.handed) == 1
