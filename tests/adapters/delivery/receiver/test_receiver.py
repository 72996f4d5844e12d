"""The receiver that the pages show runs as it stands there, against the sender of the webhook."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from menshen.adapters.delivery.sms.webhook import Settings, WebhookSender
from menshen.adapters.outward.client import HttpOutward
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.secret import Secret
from menshen.core.time import DAY, MINUTE, SECOND, Instant
from menshen.ports.delivery import Handover
from menshen.testing.handovers import handover_of
from menshen.testing.sender_contract import verdict_of
from tests.architecture.papers import ROOT

PAGE = "docs/operate/sms-webhook.md"
CHINESE = "docs/zh/sms-webhook.md"
SECRET = "a secret of the receiver"
VENDOR = '    print("sent", message["id"], message["template"], flush=True)\n'
"""The line of the program in whose place a vendor is called."""

MESSAGE = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", Instant(1), code="482913")


def programs_in(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class Receiver:
    port: int
    log: Path
    secret: str = SECRET

    @property
    def sent(self) -> list[str]:
        """What the vendor got, line by line."""
        return self.log.read_text("utf-8").splitlines()

    async def take(self, handover: Handover) -> Verdict:
        url = f"http://127.0.0.1:{self.port}/send"
        sender = WebhookSender(Settings(url=url, secret=Secret(self.secret), timeout_seconds=60), HttpOutward())
        return (await verdict_of(sender, handover))[0]


Start = Callable[..., Receiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def begin(vendor: str = VENDOR) -> Receiver:
        (program,) = programs_in(PAGE)
        assert program.count(VENDOR) == 1
        (tmp_path / "receiver.py").write_text(program.replace(VENDOR, vendor), "utf-8")
        (tmp_path / "sms_secret").write_text(f"{SECRET}\n", "utf-8")
        port, log = free_port(), tmp_path / "log"
        command = [sys.executable, "receiver.py", str(port), "sms_secret", "ids.db"]
        with log.open("wb") as out, (tmp_path / "errors").open("wb") as errors:
            process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=errors)
        running.append(process)
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return Receiver(port, log)
            time.sleep(0.02)
        raise AssertionError((tmp_path / "errors").read_text("utf-8"))

    yield begin
    for process in running:
        process.kill()
        process.wait()


def handover(ago: int = 0, to: str = MESSAGE.to) -> Handover:
    """A try of `ago` ms before now. The message is older by a minute."""
    now = int(time.time() * SECOND) - ago
    return handover_of(replace(MESSAGE, created_at=Instant(now - MINUTE), to=to), now=Instant(now))


async def test_a_message_is_sent_and_its_repeat_is_not(start: Start) -> None:
    receiver = start()
    given = handover()
    assert await receiver.take(given) is Verdict.ACCEPTED
    (line,) = receiver.sent
    assert re.fullmatch(r"sent [0-9a-f]{32} code_login", line)
    # A worker died behind the request: another one makes a new try of the same message.
    assert await receiver.take(replace(given, now=Instant(given.now + 10 * SECOND))) is Verdict.ACCEPTED
    assert receiver.sent == [line]
    assert await receiver.take(handover(to="+8613544285663")) is Verdict.ACCEPTED
    assert len(receiver.sent) == 2


async def test_repeats_at_the_same_time_and_after_a_restart_are_dropped(start: Start) -> None:
    slow = f"    time.sleep(0.3)\n{VENDOR}"
    receiver, given = start(slow), handover()
    verdicts = await asyncio.gather(*(receiver.take(given) for _ in range(8)))
    assert set(verdicts) == {Verdict.ACCEPTED}
    assert len(receiver.sent) == 1
    again = start()
    assert await again.take(given) is Verdict.ACCEPTED
    assert again.sent == []


async def test_the_window_is_about_the_try_not_the_message(start: Start) -> None:
    receiver = start()
    old = handover_of(replace(MESSAGE, created_at=Instant(int(time.time() * SECOND) - DAY)), now=handover().now)
    assert await receiver.take(old) is Verdict.ACCEPTED
    for ago in (6 * MINUTE, -6 * MINUTE):
        assert await receiver.take(handover(ago)) is Verdict.UNKNOWN
    assert len(receiver.sent) == 1


async def test_a_wrong_secret_sends_nothing(start: Start) -> None:
    receiver = start()
    assert await replace(receiver, secret="another secret of it").take(handover()) is Verdict.UNKNOWN
    assert receiver.sent == []


async def test_what_the_vendor_refused_can_come_again(start: Start) -> None:
    once = f'    if not Path("asked").exists():\n        Path("asked").touch()\n        raise Refused\n{VENDOR}'
    receiver, given = start(once), handover()
    assert await receiver.take(given) is Verdict.THROTTLED_VENDOR
    assert receiver.sent == []
    assert await receiver.take(given) is Verdict.ACCEPTED
    assert len(receiver.sent) == 1


async def test_what_the_vendor_may_have_is_unknown_and_never_sent_again(start: Start) -> None:
    broken = f"{VENDOR}    raise TimeoutError\n"
    receiver, given = start(broken), handover()
    assert await receiver.take(given) is Verdict.UNKNOWN
    assert await receiver.take(given) is Verdict.ACCEPTED
    assert len(receiver.sent) == 1


@pytest.mark.parametrize(
    ("stamp", "signature"), [("", ""), ("1", ""), ("x", "é"), ("\u0661", "0" * 64), ("1", "0" * 64)]
)
async def test_requests_of_others_get_a_403(start: Start, stamp: str, signature: str) -> None:
    receiver = start()
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
    headers = f"X-Menshen-Timestamp: {stamp}\r\nX-Menshen-Signature: {signature}\r\nContent-Length: 2\r\n"
    writer.write(f"POST /send HTTP/1.1\r\n{headers}\r\n{{}}".encode())
    assert (await reader.readline()).split()[1] == b"403"
    writer.close()
    assert receiver.sent == []


def test_both_languages_show_the_same_program() -> None:
    assert programs_in(CHINESE) == programs_in(PAGE)
    assert len(programs_in(PAGE)) == 1
