"""The proxies under traffic: a node that drains and comes back is not noticed; large and slow bodies harm nobody."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.deploy.fronts import APP, Front, exchange
from tests.deploy.shop import FORM, log_in, login_form
from tests.faults.site import Site
from tests.faults.waiting import wait_until

pytestmark = pytest.mark.deploy

EXPECTED = {"check 204", "app 200", "login 200"}
TOO_LONG = "请求内容不能超过"


class Crowd:
    """Clients with connections that they keep, each asking one thing again and again."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.heard: Counter[str] = Counter()
        self._over = threading.Event()

    def wait_for_more(self) -> None:
        """Until each of them has been answered ten times more."""
        before = self.heard.copy()
        wait_until(lambda: self.heard and min((self.heard - before)[kind] for kind in EXPECTED) >= 10)

    def ask(self, kind: str, host: str, verb: str, path: str, body: Callable[[], str] | None, **headers: str) -> None:
        """Until it is over; what came back is counted as `kind status`."""
        connection = self.front.connect(host)
        while not self._over.is_set():
            try:
                answer = exchange(connection, verb, path, body() if body else None, headers)
                good = b'"status":200' in answer.body if body else True
                self.heard[f"{kind} {answer.status}{'' if good else ' refused'}"] += 1
                gone = "close" in answer.all("connection")
            except (OSError, http.client.HTTPException) as error:
                self.heard[f"{kind} {type(error).__name__}"] += 1
                gone = True
            if gone:
                connection.close()
                connection = self.front.connect(host)
        connection.close()

    @contextmanager
    def at_work(self, token: str) -> Iterator[None]:
        bearer = {"authorization": f"Bearer {token}"}
        tasks: list[tuple[object, ...]] = [
            ("check", "login.example.com", "GET", "/auth/verify", None),
            ("app", APP, "GET", "/orders", None),
            ("login", "login.example.com", "POST", "/api/v1/user", lambda: login_form(5)),
            ("login", "login.example.com", "POST", "/api/v1/user", lambda: login_form(5, "app")),
        ]
        threads = [
            threading.Thread(target=self.ask, args=task, kwargs=FORM if task[0] == "login" else bearer)
            for task in tasks
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(60)


def test_a_node_is_stopped_and_started_and_nobody_notices(front: Front, site: Site) -> None:
    crowd = Crowd(front)
    which = ["nginx", "caddy"].index(front.name)
    with crowd.at_work(log_in(front, 4)):
        crowd.wait_for_more()
        node = site.nodes[which]
        assert node.stop() == 0
        time.sleep(1.5)
        crowd.wait_for_more()
        site.nodes[which] = site.start(port=node.port)
        site.nodes.pop()
        time.sleep(1.5)
        crowd.wait_for_more()
    assert set(crowd.heard) == EXPECTED, crowd.heard


def test_a_body_beyond_all_bounds_is_refused_and_no_node_is_blamed(front: Front) -> None:
    for size in (20_000, 60_000, 70_000, 3_000_000):
        for _ in range(4):
            try:
                answer = front.call("POST", "/api/v1/user", b"method=" + b"x" * size, FORM)
            except (OSError, http.client.IncompleteRead):
                # Beyond its own limit the proxy hangs up: while we are still sending, or with half an answer passed on.
                assert size > 65_536
                continue
            # 502 when the node hung up before the proxy had sent everything.
            assert answer.status in {413, 502} or TOO_LONG in answer.body.decode(), (size, answer)
    assert_both_serve(front)


def test_a_request_that_the_nodes_hang_up_on_blames_no_node(front: Front) -> None:
    """A proxy that took a node for dead because of what somebody sent would soon leave nobody to serve."""
    for turn in range(40):
        headers = [(f"X-Filler-{n}", "y" * 20) for n in range(150 if turn % 2 else 60)]
        answer = front.call("POST", "/api/v1/user", b"x" * 60_000, headers)
        # 502 when the node hung up before the proxy had sent everything.
        assert answer.status in {400, 502} or TOO_LONG in answer.body.decode(), answer
        assert front.call("GET", "/livez").status == 200
    assert_both_serve(front)


def assert_both_serve(front: Front) -> None:
    """At once: no node is being left alone."""
    for _ in range(6):
        assert front.call("GET", "/livez").status == 200
        assert front.call("POST", "/api/v1/user", login_form(5), FORM).json()["status"] == 200


def test_slow_bodies_hold_nobody_up(front: Front) -> None:
    call_beside_slow_bodies(front)


@pytest.mark.timing
def test_slow_bodies_slow_nobody_down(front: Front) -> None:
    assert call_beside_slow_bodies(front) < 10


def call_beside_slow_bodies(front: Front) -> float:
    """Ten logins are answered while twenty bodies are on their way, which are answered then. Seconds of the ten."""
    form = login_form(5).encode()
    slow = [front.connect() for _ in range(20)]
    try:
        for connection in slow:
            connection.putrequest("POST", "/api/v1/user")
            connection.putheader("Content-Type", FORM["Content-Type"])
            connection.putheader("Content-Length", str(len(form)))
            connection.endheaders(form[:10])
        began = time.monotonic()
        for _ in range(10):
            assert front.call("POST", "/api/v1/user", login_form(5), FORM).json()["status"] == 200
        # Whoever waited for the slow ones would wait until they are given up, and those would not be answered any more.
        seconds = time.monotonic() - began
        for connection in slow:
            connection.send(form[10:])
            answer = connection.getresponse()
            assert b'"status":200' in answer.read()
    finally:
        for connection in slow:
            connection.close()
    return seconds
