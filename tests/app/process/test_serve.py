"""A served installation: how it starts, what it says, how it ends, and what may happen to it meanwhile."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from tests.patience import PATIENT
from tests.server import CHEAP, MENSHEN, Server, free_port, running, start

PASSWORD = "correct horse battery"


def until(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Running, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def events(log: Path) -> list[dict[str, object]]:
    """The log's JSON lines, without the greeting."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "data") as server:
        yield server


def log_in(server: Server, name: str = "alice") -> str:
    """The token of a password login through the shop's house style."""
    body = json.dumps({"login_id": name, "password": PASSWORD})
    answer = server.call("POST", "/weidu/api/v1/users/login", body, {"content-type": "application/json"})
    assert answer.status == 200, answer.body
    return answer.one("Token")


def test_the_greeting_names_what_to_do_next(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    port = free_port()
    process = subprocess.Popen(
        [MENSHEN, "serve", "--data", str(data), "--port", str(port)],
        env={**os.environ, **CHEAP, **PATIENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(7)]
    finally:
        process.terminate()
        out, log = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert told[0] == f"Menshen listens on http://127.0.0.1:{port}\n"
    assert told.pop(1) == f"  log in           http://127.0.0.1:{port}/login\n"
    appkey = told[1].split()[-1]
    assert appkey.isdigit()
    # The commands are exact: they can be pasted, whatever the directory is called.
    read = told[4].partition("menshen outbox")[2].strip()
    assert subprocess.run(
        f"{MENSHEN} outbox {read}", shell=True, capture_output=True, text=True, check=True
    ).stdout == ("no messages\n")
    shown = told[2].partition("menshen ")[2].strip()
    assert (
        f'"{appkey}"'
        in subprocess.run(f"{MENSHEN} {shown} --json", shell=True, capture_output=True, text=True, check=True).stdout
    )
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines] == ["listening", "stopped"]


def test_it_answers_without_telling_what_it_is(served: Server) -> None:
    answer = served.call("GET", "/livez")
    assert answer.status == 200
    assert answer.all("server") == []
    assert len(answer.all("date")) == 1
    assert served.call("GET", "/readyz").status == 200
    assert served.call("GET", "/auth/verify").status == 401
    assert served.call("GET", "/nowhere").status == 404


def test_forwarded_headers_are_not_believed_by_the_server(served: Server) -> None:
    """HD-1: uvicorn itself would take them from loopback."""
    served.menshen("account", "add", "--username", "alice", "--password-stdin", stdin=PASSWORD)
    body = json.dumps({"login_id": "alice", "password": PASSWORD})
    headers = {"content-type": "application/json", "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    answer = served.call("POST", "/weidu/api/v1/users/login", body, headers)
    assert answer.status == 200
    assert all("Secure" not in cookie for cookie in answer.all("set-cookie"))
    (session,) = json.loads(served.menshen("account", "sessions", "alice", "--json"))
    assert session["ip"] == "127.0.0.1"


def test_sigterm_ends_it_in_order(served: Server) -> None:
    assert served.stop() == 0
    assert events(served.log)[-1]["event"] == "stopped"
    with pytest.raises(ConnectionRefusedError):
        served.call("GET", "/livez")
    assert not (served.data / "menshen.db-wal").exists()


@contextmanager
def under_way(server: Server) -> Iterator[socket.socket]:
    """A caller whose head has arrived, and whose body is waited for: 42 bytes."""
    with socket.create_connection(server.address, timeout=60) as client:
        client.sendall(
            b"POST /weidu/api/v1/users/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"expect: 100-continue\r\ncontent-length: 42\r\n\r\n"
        )
        heard = b""
        while not heard.endswith(b"\r\n\r\n"):
            heard += client.recv(1)
        assert heard.startswith(b"HTTP/1.1 100 ")
        yield client


def is_shut(server: Server) -> bool:
    """Whether it takes no more connections."""
    try:
        socket.create_connection(server.address, timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


# Longer than any machine takes for what is asked here.
NO_HURRY = {"MENSHEN_SERVER__DRAIN_SECONDS": "600"}


def test_a_request_under_way_is_answered_after_sigterm(tmp_path: Path) -> None:
    with running(tmp_path / "data", environ=NO_HURRY) as server:
        with under_way(server) as client:
            server.process.send_signal(signal.SIGTERM)
            assert until(lambda: is_shut(server))
            time.sleep(0.3)
            assert server.process.poll() is None
            client.sendall(b'{"login_id": "nobody", "password": "none"}')
            heard = b""
            while piece := client.recv(65536):
                heard += piece
        assert heard.startswith(b"HTTP/1.1 4")
        assert b"connection: close" in heard.lower()
        assert server.process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path / "data", environ=NO_HURRY) as server, under_way(server):
        server.process.send_signal(number)
        assert until(lambda: is_shut(server))
        time.sleep(0.3)
        assert server.process.poll() is None
        server.process.send_signal(number)
        assert until(lambda: server.process.poll() is not None)


@pytest.mark.timing
def test_a_second_signal_ends_it_soon(served: Server) -> None:
    with under_way(served):
        served.process.send_signal(signal.SIGTERM)
        assert until(lambda: is_shut(served))
        served.process.send_signal(signal.SIGTERM)
        assert until(lambda: served.process.poll() is not None, 4)


def cut_off(data: Path) -> float:
    """Seconds in which a server that drains for one second ends, although somebody's body never comes."""
    with running(data, environ={"MENSHEN_SERVER__DRAIN_SECONDS": "1"}) as server:
        with under_way(server):
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0
        return time.monotonic() - began


def test_what_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    assert cut_off(tmp_path / "data") > 0.8


@pytest.mark.timing
def test_what_takes_too_long_is_cut_off_soon(tmp_path: Path) -> None:
    assert cut_off(tmp_path / "data") < 4


def test_a_port_in_use_is_one_sentence(served: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        [MENSHEN, "serve", "--data", str(tmp_path / "other"), "--port", str(served.port)],
        env={**os.environ, **CHEAP, **PATIENT},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"menshen: cannot listen on 127.0.0.1 port {served.port}: Address already in use\n"
    assert done.stdout == ""


def test_commands_work_while_it_serves(served: Server, tmp_path: Path) -> None:
    served.menshen("account", "add", "--username", "alice", "--password-stdin", stdin=PASSWORD)
    token = log_in(served)
    header = {"authorization": f"Bearer {token}"}
    assert served.call("GET", "/auth/verify", headers=header).status == 204
    served.menshen("keys", "rotate")
    # Sealed by a key that the server has not read yet.
    served.menshen("app", "add", "shop", "--host", "shop.example")
    assert served.call("GET", "/weidu/api/v1/users/info", headers={**header, "host": "shop.example"}).status == 200
    served.menshen("backup", str(tmp_path / "copy.db"))
    served.menshen("account", "disable", "alice")
    assert until(lambda: served.call("GET", "/auth/verify", headers=header).status == 401)
    refused = subprocess.run(
        [MENSHEN, "restore", str(tmp_path / "copy.db"), "--data", str(served.data)],
        env=served.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 1
    assert "stop it first" in refused.stderr
    # Restored, the account is enabled again, and the old token is dead all the same.
    assert served.stop() == 0
    served.menshen("restore", str(tmp_path / "copy.db"))
    with running(served.data) as again:
        assert again.call("GET", "/auth/verify", headers=header).status == 401
        assert log_in(again)


@pytest.mark.timing
def test_what_a_command_ends_is_refused_soon(served: Server) -> None:
    served.menshen("account", "add", "--username", "alice", "--password-stdin", stdin=PASSWORD)
    header = {"authorization": f"Bearer {log_in(served)}"}
    assert served.call("GET", "/auth/verify", headers=header).status == 204
    served.menshen("account", "disable", "alice")
    assert until(lambda: served.call("GET", "/auth/verify", headers=header).status == 401, 0.5)


def test_two_that_start_together_make_one_installation(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ports = [free_port(), free_port()]
    processes = [
        subprocess.Popen(
            [MENSHEN, "serve", "--data", str(data), "--port", str(port)],
            env={**os.environ, **CHEAP, **PATIENT},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for port in ports
    ]
    try:
        keys = set()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Menshen listens")
            assert process.stdout.readline().endswith("/login\n")
            keys.add(process.stdout.readline().split()[-1])
        assert len(keys) == 1
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]


# --- several workers --------------------------------------------------------------------------------------------------


def test_workers_share_one_port_and_one_truth(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        assert until(lambda: len(children(server.process.pid)) == 2)
        server.menshen("account", "add", "--username", "alice", "--password-stdin", stdin=PASSWORD)
        header = {"authorization": f"Bearer {log_in(server)}"}
        assert {server.call("GET", "/auth/verify", headers=header).status for _ in range(20)} == {204}
        workers = children(server.process.pid)
        assert server.stop() == 0
        assert not any(map(is_alive, workers))


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        assert until(lambda: len(children(server.process.pid)) == 2)
        first, second = children(server.process.pid)
        os.kill(first, signal.SIGKILL)
        assert until(lambda: len(set(children(server.process.pid)) - {first, second}) == 1)
        assert server.call("GET", "/readyz").status == 200
        assert second in children(server.process.pid)
        died = [event for event in events(server.log) if event["event"] == "worker.died"]
        assert [(event["pid"], event["code"]) for event in died] == [(first, -9)]
        assert server.stop() == 0


def test_workers_go_when_their_parent_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        assert until(lambda: len(children(server.process.pid)) == 2)
        workers = children(server.process.pid)
        server.kill()
        assert until(lambda: not any(map(is_alive, workers)))
        # The port is free for the next.
        start(server.data, port=server.port).stop()


# --- PostgreSQL that is not there yet ---------------------------------------------------------------------------------


def test_it_waits_for_a_database_that_comes_later(tmp_path: Path) -> None:
    log = (tmp_path / "log").open("wb")
    port, nobody = free_port(), free_port()
    process = subprocess.Popen(
        [MENSHEN, "serve", "--data", str(tmp_path / "data"), "--port", str(port)],
        env={
            **os.environ,
            **CHEAP,
            **PATIENT,
            "MENSHEN_STORAGE__URL": f"postgresql://u:canary@127.0.0.1:{nobody}/none",
        },
        stdout=log,
        stderr=log,
    )
    server = Server(tmp_path / "data", port, process, {}, tmp_path / "log")

    def lives() -> bool:
        try:
            return server.call("GET", "/livez").status == 200
        except OSError:
            return False

    try:
        assert until(lives)
        answer = server.call("GET", "/readyz")
        assert (answer.status, answer.one("retry-after")) == (503, "1")
        assert server.call("POST", "/weidu/api/v1/users/login", "{}").status == 503
        assert until(lambda: any(event["event"] == "database.unavailable" for event in events(server.log)))
        assert "not known until the database answers" in server.log.read_text()
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait(60)
        log.close()
    assert "canary" not in server.log.read_text()


def test_it_serves_once_the_database_is_there(tmp_path: Path, postgres_url: str) -> None:
    parts = urlsplit(postgres_url)
    (folder,) = parse_qs(parts.query)["host"]
    later = Path(tempfile.mkdtemp()) / "s"
    url = urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), "host": str(later)})))
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [MENSHEN, "serve", "--data", str(tmp_path / "data"), "--port", str(port), "--workers", "2"],
            env={**os.environ, **CHEAP, **PATIENT, "MENSHEN_STORAGE__URL": url},
            stdout=log,
            stderr=log,
        )
    server = Server(tmp_path / "data", port, process, {**os.environ, "MENSHEN_STORAGE__URL": url}, tmp_path / "log")

    def readiness() -> int:
        try:
            return server.call("GET", "/readyz").status
        except OSError:
            return 0

    try:
        assert until(lambda: readiness() == 503)
        later.symlink_to(folder)
        # Each of the workers comes to it by itself.
        assert until(lambda: all(readiness() == 200 for _ in range(20)))
        assert [app["name"] for app in json.loads(server.menshen("app", "list", "--json"))] == ["default"]
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait(60)
