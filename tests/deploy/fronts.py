"""The reverse proxies of deploy/proxies, started as they ship: only ports, places and addresses are replaced."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.programs import find
from tests.server import Answer, Server, free_port

PROXIES = Path(__file__).parents[2] / "deploy" / "proxies"
LOGIN, APP = "login.example.com", "app.example.com"
STARTS_WITHIN = 60.0


@dataclass
class Front(Server):
    """A proxy with both sites on `port` (HTTPS) and `plain_port` (HTTP); `menshen` runs on the nodes' installation."""

    name: str = ""
    plain_port: int = 0
    authority: Path = Path()
    folder: Path = field(default_factory=Path)

    def connect(self, host: str = LOGIN, source: str = "127.0.0.1") -> http.client.HTTPConnection:
        """A TLS connection from the address `source`, to the site `host`, whose certificate is verified."""
        connection = http.client.HTTPConnection(host, self.port, timeout=60)
        context = ssl.create_default_context(cafile=self.authority)
        plain = socket.create_connection(self.address, 60, (source, 0))
        connection.sock = context.wrap_socket(plain, server_hostname=host)
        return connection

    def call(
        self,
        verb: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        host: str = LOGIN,
        source: str = "127.0.0.1",
    ) -> Answer:
        connection = self.connect(host, source)
        try:
            return exchange(connection, verb, path, body, headers)
        finally:
            connection.close()


def exchange(
    connection: http.client.HTTPConnection,
    verb: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
) -> Answer:
    """One request, its path as it is, headers may be there twice."""
    raw = body.encode() if isinstance(body, str) else body
    connection.putrequest(verb, path, skip_accept_encoding=True)
    for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
        connection.putheader(name, value)
    if raw is not None:
        connection.putheader("Content-Length", str(len(raw)))
    connection.endheaders(raw)
    answer = connection.getresponse()
    return Answer(answer.status, answer.getheaders(), answer.read())


def replaced(text: str, table: Mapping[str, str]) -> str:
    """`text` with each key, which must be there, replaced by its value."""
    for old, new in table.items():
        assert old in text, f"the example no longer holds {old!r}"
        text = text.replace(old, new)
    return text


def _certificate(folder: Path) -> Path:
    """A self-signed certificate of both sites, its key beside it."""
    certificate = folder / "site.crt"
    subprocess.run(
        [
            find("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", f"/CN={LOGIN}", "-addext", f"subjectAltName=DNS:{LOGIN},DNS:{APP}",
            "-keyout", folder / "site.key", "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate


NGINX = """daemon off;
{user}
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/menshen.conf;
}}
"""


def _nginx(folder: Path, nodes: Sequence[int], app: int, port: int, plain: int) -> tuple[list[str], Path]:
    certificate = _certificate(folder)
    table = {
        "127.0.0.1:8400": f"127.0.0.1:{nodes[0]}", "127.0.0.1:8401": f"127.0.0.1:{nodes[1]}",
        "127.0.0.1:3000": f"127.0.0.1:{app}",
        "listen 80;": f"listen 127.0.0.1:{plain};", "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/nginx/menshen/login.": f"{folder}/site.", "/etc/nginx/menshen/app.": f"{folder}/site.",
    }  # fmt: skip
    (folder / "menshen.conf").write_text(replaced((PROXIES / "nginx.conf").read_text(), table))
    # Started by root, its workers would be somebody who may not enter the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    return [find("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], certificate


def _caddy(folder: Path, nodes: Sequence[int], app: int, port: int, plain: int) -> tuple[list[str], Path]:
    # In the place of certificates from outside, ones of its own authority.
    options = f"""{{
	admin off
	local_certs
	skip_install_trust
	default_bind 127.0.0.1
	http_port {plain}
	https_port {port}
	storage file_system {folder}/storage
	servers {{"""
    table = {
        "{\n\tservers {": options, "node-a:8400": f"127.0.0.1:{nodes[0]}", "node-b:8400": f"127.0.0.1:{nodes[1]}",
    }  # fmt: skip
    login = replaced((PROXIES / "Caddyfile").read_text(), table)
    names = {"node-a:8400": f"127.0.0.1:{nodes[0]}", "node-b:8400": f"127.0.0.1:{nodes[1]}"}
    behind = replaced((PROXIES / "app.Caddyfile").read_text(), {"app:3000": f"127.0.0.1:{app}", **names})
    (folder / "Caddyfile").write_text(login + behind)
    command = [find("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return command, folder / "storage/pki/authorities/local/root.crt"


@contextmanager
def before(name: str, nodes: Sequence[Server], app: int, folder: Path) -> Iterator[Front]:
    """The proxy `name` ("nginx" or "caddy") of deploy/proxies before two nodes and the app on the port `app`."""
    port, plain = free_port(), free_port()
    ports = [node.port for node in nodes]
    command, authority = (_nginx if name == "nginx" else _caddy)(folder, ports, app, port, plain)
    log = folder / "log"
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=os.environ | home, stdout=out, stderr=out)
    front = Front(
        nodes[0].data, port, process, nodes[0].environ, log,
        name=name, plain_port=plain, authority=authority, folder=folder,
    )  # fmt: skip
    try:
        _wait(front)
        yield front
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


def _wait(front: Front) -> None:
    give_up = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            if front.call("GET", "/livez").status == 200 and front.call("GET", "/", host=APP).status == 401:
                return
        except (OSError, http.client.HTTPException):
            pass
        if front.process.poll() is not None or time.monotonic() > give_up:
            texts = [
                path.read_text("utf-8")[-3000:] for path in (front.log, front.folder / "error.log") if path.exists()
            ]
            raise AssertionError(f"{front.name} does not serve:\n" + "\n".join(texts))
        time.sleep(0.05)
