"""Addresses of PostgreSQL: each parameter of libpq works or is refused by its name, and no password is told."""

from __future__ import annotations

import inspect
import socket
from urllib.parse import parse_qsl, urlsplit

import pytest
from asyncpg import connect_utils

from menshen.adapters.storage.sql.engines.address import AddressError, read_address

PASSWORD = "s3cret-Part"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:p@db.example/login", "db.example port 5432, database login"),
        ("postgres://u@db.example:6432/login", "db.example port 6432, database login"),
        ("postgresql://u@[2001:db8::1]:6432/login", "[2001:db8::1] port 6432, database login"),
        ("postgresql://u@one:1,two/login", "one port 1 or two port 5432, database login"),
        ("postgresql://u@/login?host=/run/postgresql&port=5433", "/run/postgresql port 5433, database login"),
        ("postgresql://u@db.example", "db.example port 5432, database u"),
        ("postgresql:///login?user=u", "the local socket port 5432, database login"),
        ("postgresql://u@db.example/?dbname=login", "db.example port 5432, database login"),
    ],
)
def test_the_place_that_sentences_name(url: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    assert str(read_address(url)) == place
    assert read_address(url).role == "u"


def test_a_password_reaches_the_driver_as_it_is_and_nobody_else() -> None:
    address = read_address(f"postgresql://u%40x:{PASSWORD}%2F%40%3A%25@db.example/login?sslmode=require")
    parts = urlsplit(address.dsn)
    assert (parts.username, parts.password) == ("u%40x", f"{PASSWORD}%2F%40%3A%25")
    assert dict(parse_qsl(parts.query)) == {"sslmode": "require"}
    assert PASSWORD not in repr(address) + str(address)


def test_an_at_in_a_password_belongs_to_it() -> None:
    """The driver alone would take the first one for the end, and tell the rest as a host."""
    parts = urlsplit(read_address("postgresql://u:a@b@db.example/login").dsn)
    assert (parts.password, parts.hostname) == ("a%40b", "db.example")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{PASSWORD}/x@db.example/login",
        f"postgresql://u:12/{PASSWORD}@db.example/login",
        f"postgresql://u:{PASSWORD}?x@db.example/login",
        f"postgresql://u:12?{PASSWORD}=1&x@db.example/login",
        f"postgresql://u:12?{PASSWORD}=1@db.example/login",
        f"postgresql://u:{PASSWORD}#x@db.example/login",
        f"postgresql://u:12#{PASSWORD}@db.example/login",
        f"postgresql://u@db.example:{PASSWORD}/login",
        f"mysql://u:{PASSWORD}@db.example/login",
    ],
)
def test_what_is_no_address_is_refused_without_a_part_of_its_password(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        read_address(url)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD.lower() not in str(caught.value).lower()


def test_the_sockets_parameters() -> None:
    given = "connect_timeout=10&keepalives_idle=30&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=20000"
    address = read_address(f"postgresql://u@db.example/login?{given}")
    assert address.connect_seconds == 10.0
    assert set(address.socket_options) == {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20000),
    }
    off = read_address("postgresql://u@db.example/login?keepalives=0&keepalives_idle=30")
    assert off.socket_options == ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0),)
    # libpq takes zeros for what the system does, and a zero of the first for no limit: here there is one.
    nought = read_address("postgresql://u@db.example/login?connect_timeout=0&tcp_user_timeout=0")
    assert (nought.connect_seconds, nought.socket_options) == (None, ())
    assert "connect_timeout" not in address.dsn


def test_what_the_server_gets() -> None:
    assert read_address("postgresql://u@h/d").settings == {"application_name": "menshen"}
    address = read_address("postgresql://u@h/d?fallback_application_name=a&options=-csearch_path%3Dlogin")
    assert address.settings == {"application_name": "a", "options": "-csearch_path=login"}
    assert read_address("postgresql://u@h/d?application_name=b&fallback_application_name=a").settings == {
        "application_name": "b"
    }


@pytest.mark.parametrize(
    "parameter",
    [
        "channel_binding=prefer", "channel_binding=disable", "gssencmode=prefer", "gssencmode=disable",
        "sslcompression=0", "sslsni=1", "sslcertmode=allow", "load_balance_hosts=disable", "client_encoding=UTF8",
        "client_encoding=auto",
    ],
)  # fmt: skip
def test_what_is_done_anyway_may_be_asked_for(parameter: str) -> None:
    assert "?" not in read_address(f"postgresql://u@h/d?{parameter}").dsn


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ("channel_binding=require", "channel_binding .* sslmode=verify-full"),
        ("gssencmode=require", "gssencmode .* TLS only"),
        ("load_balance_hosts=random", "load_balance_hosts"),
        ("client_encoding=LATIN1", "client_encoding .* UTF8"),
        ("require_auth=scram-sha-256", "require_auth"),
        ("hostaddr=127.0.0.1", "hostaddr .* as the host"),
        ("service=login", "service"),
        ("replication=database", "replication"),
        ("sslmode=verify_full", "sslmode with no valid value: it is one of disable, allow, prefer, require"),
        ("sslrootcert=system", "sslrootcert=system: name the file"),
        ("target_session_attrs=master", "target_session_attrs"),
        ("ssl_min_protocol_version=SSLv3", "ssl_min_protocol_version"),
        ("connect_timeout=soon", "connect_timeout, which is no whole number"),
        ("keepalives_idle=-1", "keepalives_idle, which is no whole number"),
        ("keepalives=yes", "keepalives with no valid value"),
        # It would take the place of what the promises rest on.
        ("synchronous_commit=off", "synchronous_commit, which is not known here"),
        ("pool_size=5", "pool_size, which is not known here"),
        ("sslmode=require&sslmode=disable", "sslmode twice"),
        ("sslmode", "parameters of no valid form"),
    ],
)
def test_what_cannot_be_kept_is_named(parameter: str, told: str) -> None:
    with pytest.raises(AddressError, match=told):
        read_address(f"postgresql://u@h/d?{parameter}")


@pytest.mark.parametrize("place", ["h:0", "h:65536", "h:99999", "a:5432,b:70000", "[::1]:65536"])
def test_a_port_that_no_machine_has_is_named(place: str) -> None:
    with pytest.raises(AddressError, match="has a port that is no number from 1 to 65535"):
        read_address(f"postgresql://u@{place}/d")


@pytest.mark.parametrize("port", ["0", "65536", "70000", "5432,99999", "high", "-1", "9" * 5000])
def test_a_port_of_the_parameters_too(port: str) -> None:
    with pytest.raises(AddressError, match="has a port that is no number from 1 to 65535"):
        read_address(f"postgresql://u@h/d?port={port}")
    assert "65535" in read_address("postgresql://u@h/d?port=65535").dsn


@pytest.mark.parametrize(
    "url", ["postgresql://u@h?dbname=shop", "postgresql://u@h/?database=shop", "postgresql://u@h/shop"]
)
def test_the_driver_gets_the_database_that_sentences_name(url: str) -> None:
    address = read_address(url)
    given = inspect.signature(connect_utils._parse_connect_dsn_and_args).parameters
    _, parameters = connect_utils._parse_connect_dsn_and_args(**dict.fromkeys(given) | {"dsn": address.dsn})
    assert (parameters.database, address.database) == ("shop", "shop")


@pytest.mark.parametrize(
    ("name", "most"), [("keepalives_idle", 32_767), ("keepalives_interval", 32_767), ("keepalives_count", 127)]
)
def test_keepalives_are_what_the_system_takes(name: str, most: int) -> None:
    (_, (level, option, value)) = read_address(f"postgresql://u@h/d?{name}={most}").socket_options
    with socket.socket() as made:
        made.setsockopt(level, option, value)
    with pytest.raises(AddressError, match=f"{name}, which is at most {most}"):
        read_address(f"postgresql://u@h/d?{name}={most + 1}")
