"""Each fault of PostgreSQL as a sentence: what is lasting, what is an outage, and what no server here shows."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.engines.address import read_address
from menshen.adapters.storage.sql.engines.faults import fault_of
from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.adapters.storage.sql.schema.fitness import Facts, needed_rights, refuse_unfit
from menshen.ports.store.unfit import UnfitError

AT = read_address("postgresql://keeper:hidden-word@db.example/login")
GOOD = Facts(14, "UTF8", False, "keeper", "login", "public", True, True)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired"
    return error


LASTING: list[tuple[BaseException, str]] = [
    (asyncpg.InvalidCatalogNameError("x"), "there is no database login at db.example port 5432"),
    (asyncpg.InvalidPasswordError("x"), "refuses the password of the role keeper"),
    (untrusted(), "the certificate of db.example port 5432, database login is not trusted (certificate has expired)"),
    (ssl.SSLError(1, "handshake failure"), "TLS with db.example port 5432"),
    (ConnectionError('PostgreSQL server at "db.example:5432" rejected SSL upgrade'), "speaks no TLS"),
    (asyncpg.ProtocolViolationError("no such database: login"), "the pooler at db.example port 5432"),
    (asyncpg.ProtocolViolationError("no such user: keeper"), "knows no role keeper"),
    (asyncpg.ProtocolViolationError("unsupported startup parameter: extra_float_digits"), "extra_float_digits"),
    (asyncpg.InterfaceError("unsupported authentication method requested by the server: gss"), "use scram-sha-256"),
    (asyncpg.ClientConfigurationError("hidden-word"), "of no form that the driver takes"),
    (asyncpg.FeatureNotSupportedError("x"), "does not take a statement"),
    (PermissionError(errno.EACCES, "x"), "may not open the socket"),
]
OUTAGES: list[tuple[BaseException, str]] = [
    (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "nobody listens at db.example port 5432"),
    (OSError(errno.EHOSTUNREACH, "x"), "cannot be reached: No route to host"),
    (OSError(errno.ENETUNREACH, "x"), "cannot be reached: Network is unreachable"),
    (socket.gaierror(-2, "x"), "the name of db.example port 5432, database login is not known now"),
    (TimeoutError(), "does not answer within 2 s"),
    (FileNotFoundError(errno.ENOENT, "x"), "there is no socket"),
    (asyncpg.CannotConnectNowError("x"), "is starting up or shutting down"),
    (asyncpg.AdminShutdownError("x"), "is shutting down"),
    (asyncpg.TooManyConnectionsError("x"), "has no connection left (max_connections)"),
    (asyncpg.ReadOnlySQLTransactionError("x"), "takes no writes now"),
    (asyncpg.ConnectionDoesNotExistError("x"), "hung up"),
    (asyncpg.TargetServerAttributeNotMatched("x"), "no host of db.example port 5432"),
    (asyncpg.ProtocolViolationError("no more connections allowed (max_client_conn)"), "no more connections allowed"),
    (asyncpg.ProtocolViolationError("query_wait_timeout"), "query_wait_timeout"),
    (
        asyncpg.ProtocolViolationError("server login has been failing, try again later (server_login_retry)"),
        "the pooler at db.example port 5432, database login has no connection now",
    ),
]


@pytest.mark.parametrize(("error", "told"), LASTING, ids=lambda value: str(value)[:40])
def test_what_somebody_must_change(error: BaseException, told: str) -> None:
    fault = fault_of(error, AT, 2)
    assert type(fault) is UnfitError
    assert told in str(fault)
    assert "hidden-word" not in str(fault)


@pytest.mark.parametrize(("error", "told"), OUTAGES, ids=lambda value: str(value)[:40])
def test_what_is_waited_out(error: BaseException, told: str) -> None:
    fault = fault_of(error, AT, 2)
    assert not isinstance(fault, UnfitError)
    assert told in str(fault)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"major": 13}, "the server is PostgreSQL 13: 14 or newer is needed"),
        ({"encoding": "SQL_ASCII"}, "the encoding SQL_ASCII"),
        ({"standby": True}, "is a standby"),
    ],
)
def test_servers_that_cannot_hold_an_installation(change: dict[str, Any], told: str) -> None:
    refuse_unfit(GOOD)
    with pytest.raises(UnfitError, match=told):
        refuse_unfit(replace(GOOD, **change))


def test_rights_are_read_from_the_statements() -> None:
    needed = set(needed_rights())
    assert {table for table, _ in needed} == set(tables())
    # One of each kind: by a statement, by ON CONFLICT, by a lock of rows, by a trigger; and one that nobody needs.
    assert {
        ("sessions", "INSERT"), ("counters", "UPDATE"), ("apps", "UPDATE"), ("revocations", "INSERT"),
        ("audit", "DELETE"), ("hash_heads", "SELECT"),
    } <= needed  # fmt: skip
    assert ("audit", "UPDATE") not in needed
