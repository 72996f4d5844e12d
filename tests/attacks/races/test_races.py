"""Check races that only processes of their own show, on both databases. (RACE-2, RACE-6, RACE-11.)

What one transaction decides is tried in the store contract and in tests/flows/test_races.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from menshen.core.audit.events import Tag
from tests.attacks.races.concurrent_clients import AGAIN
from tests.attacks.races.conftest import RACERS, ROOT, Call, Race
from tests.figures import Figure
from tests.harness import Harness
from tests.server import running
from tests.wire.weidu.client import PASSWORD, Client, said

USERS = "/weidu/api/v1/users"
BELIEVED = 0.5
"""Seconds within which every node refuses what another one ended.

A check is taken as of its begin, and memory is believed no longer than its last look is young: this holds on a machine
of any speed.
"""


def kind(environ: dict[str, str]) -> str:
    """Give the database's name, for figures."""
    return "PostgreSQL" if environ else "SQLite"


def post(path: str, **body: Any) -> Call:
    return {"verb": "POST", "path": USERS + path, "json": body}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.attack("RACE-2")
async def test_password_failures_are_counted_to_the_last(site: Harness, race: Race) -> None:
    await site.add_account("alice1", password=PASSWORD)
    calls = [post("/login", login_id="alice1", password=f"wrong {number}") for number in range(RACERS)]
    answers = await race([*calls[:25], post("/login", login_id="alice1", password=PASSWORD), *calls[25:]])
    statuses = [status for ((_, _, status),) in answers]
    judged = statuses.count(401) + statuses.count(200)
    # Three are free, the fourth meets the captcha; whoever was right in time began a new count.
    assert judged <= 7
    assert statuses.count(428) + judged == len(answers)
    assert [event.tag for event in await site.events()].count(Tag.LOGIN_FAILED) == statuses.count(401)


@pytest.mark.attack("RACE-6", "AD-9")
@pytest.mark.parametrize("how", ["logout", "deletion"])
async def test_what_ended_is_refused_on_every_node(
    site: Harness, environ: dict[str, str], race: Race, figure: Figure, how: str
) -> None:
    """Forty tokens that both nodes are asked for all the while, and so have in memory, end in the middle of it."""
    tokens = []
    # Of those that log out, ten belong to one account.
    whose = 1 if how == "deletion" else 10
    for number in range(40):
        if number % whose == 0:
            await site.add_account(f"alice{number}", password=PASSWORD)
        client = Client(site)
        await client.log_in(f"alice{number // whose * whose}", device_id=f"d{number}")
        tokens.append(client.token)
    calls: list[Call] = []
    for number, token in enumerate(tokens):
        read = {"verb": "GET", "path": "/auth/verify", "headers": bearer(token), "until": 401}
        end: Call = {"verb": "POST", "path": f"{USERS}/logout", "headers": bearer(token)}
        if how == "deletion":
            end |= {"verb": "DELETE", "path": f"{USERS}/me", "json": {"password": PASSWORD}}
        # One after the other, each once this node believes in its token.
        end["after_good"] = 2 + number // 4
        # By turns: the end comes from the one process, then from the other.
        calls += (
            [read, read, end, {**read, "after": 0.05}] if number % 2 else [read, read, {**read, "after": 0.05}, end]
        )
    answers = await race(calls)
    late, slowest, seen = 0, 0.0, [0, 0]
    for number in range(len(tokens)):
        group = answers[4 * number : 4 * number + 4]
        ending = 2 if number % 2 else 3
        ((_, acknowledged, status),) = group[ending]
        assert status == 200
        for place, tries in enumerate(group):
            if place == ending:
                continue
            statuses = [status for _, _, status in tries]
            assert set(statuses) <= {204, 401}
            assert statuses[-AGAIN:] == [401] * AGAIN
            # A node that came late to the race may find a token ended.
            good = [begun for begun, _, status in tries if status == 204] or [acknowledged]
            seen[place % 2] += statuses.count(204)
            slowest = max(slowest, good[-1] - acknowledged)
            late += good[-1] > acknowledged + (0 if place % 2 == ending % 2 else BELIEVED)
    figure(
        f"RACE-6: {kind(environ)}: {sum(seen)} good checks around {len(tokens)} ends by {how}, "
        f"believed for at most {slowest * 1000:.0f} ms"
    )
    assert min(seen) > 0
    assert late == 0


DISCONNECTS = 500
"""By each of two processes, on each of two databases."""


@pytest.mark.attack("RACE-11")
def test_callers_that_go_away_leave_their_answers_to_nobody(
    tmp_path: Path, environ: dict[str, str], figure: Figure
) -> None:
    """Fifty clients of two processes: twenty hang up again and again, thirty ask who they are."""
    with running(tmp_path / "data", environ=environ) as server:
        tokens = {}
        for number in range(3):
            name = f"racer{number}"
            form = {"method": "add.user.item", "username": name, "password": PASSWORD, "password_confirm": PASSWORD}
            form["mobile"] = f"1380013800{number}"
            kind_of = {"Content-Type": "application/x-www-form-urlencoded"}
            assert server.call("POST", "/api/v1/user", urlencode(form), kind_of).json()["status"] == 200
            body = json.dumps({"login_id": name, "password": PASSWORD})
            tokens[name] = server.call("POST", f"{USERS}/login", body).one("Token")
        command = [sys.executable, "-m", "tests.attacks.races.disconnecting_client"]
        task = json.dumps({"port": server.port, "path": f"{USERS}/info", "tokens": tokens, "disconnects": DISCONNECTS})
        processes = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        try:
            for process in processes:
                print(task, file=process.stdin, flush=True)
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in processes:
                print("go", file=process.stdin, flush=True)
            told = [json.loads(process.communicate(timeout=500)[0]) for process in processes]
        finally:
            for process in processes:
                process.kill()
        answers, wrong = (sum(report[name] for report in told) for name in ("answers", "wrong"))
        figure(
            f"RACE-11: {kind(environ)}: {2 * DISCONNECTS} hung up; of {answers} answers beside them {wrong} another's"
        )
        assert answers > 100
        assert wrong == 0
        assert server.call("GET", "/readyz").status == 200


@pytest.mark.attack("RACE-11")
async def test_work_that_is_cut_short_leaves_no_answer_to_the_next(
    site: Harness, environ: dict[str, str], figure: Figure
) -> None:
    """Requests cancelled between any two of their steps, reads and writes; those beside them hear of themselves."""
    names = [f"racer{number}" for number in range(6)]
    clients = []
    for name in names:
        await site.add_account(name, password=PASSWORD)
        clients.append(Client(site))
        await clients[-1].log_in(name)
    # One device, or the session that asks would be the oldest of too many.
    enter = {"password": PASSWORD, "device_id": "another one"}
    heard: Counter[bool] = Counter()
    over = asyncio.Event()

    async def ask(name: str, token: str) -> None:
        async with site.client_from("127.0.0.1") as client:
            while not over.is_set() or heard.total() <= 20:
                told = (await client.get(f"{USERS}/info", headers=bearer(token))).json()
                heard[told["user_info"]["username"] == name] += 1
                # SQLite's answers come without a pause of their own.
                await asyncio.sleep(0.005)

    async def cut(number: int) -> None:
        async with site.client_from(f"198.51.{number % 200}.1") as client:
            token = clients[number % len(clients)].token
            if number % 3 == 0:
                asked = client.get(f"{USERS}/info", headers=bearer(token))
            elif number % 3 == 1:
                asked = client.put(f"{USERS}/update", json={"nickname": f"n{number}"}, headers=bearer(token))
            else:
                asked = client.post(f"{USERS}/login", json=enter | {"login_id": names[number % 6]})
            task = asyncio.ensure_future(asked)
            for _ in range(number % 60):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    askers = [asyncio.create_task(ask(name, client.token)) for name, client in zip(names, clients, strict=True)]
    for start in range(0, 400, 20):
        await asyncio.gather(*(cut(number) for number in range(start, start + 20)))
    over.set()
    await asyncio.gather(*askers)
    wrong = heard[False]
    figure(f"RACE-11: {kind(environ)}: 400 cut short; of {heard.total()} answers beside them {wrong} another's")
    assert wrong == 0
    assert heard[True] > 20
    assert said(await Client(site, ip="192.0.2.1").log_in(names[0])) == (200, "ok")
