"""Say in a sentence why PostgreSQL cannot be used: start, commands and `menshen check` say the same.

What an operator has to change becomes `UnfitError`, which ends a start. An outage becomes `Problem`, and a start waits
until it is over. Outages of the way are: no server listens, the name is not known, there is no answer in time. Outages
of the server are: it starts or stops, has no connection left, or takes no writes. (Decision 0061.)

Sentences name host, port, database and role. PostgreSQL's own words are repeated only where they hold names and
nothing else: for roles, databases, rights and parameters.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable
from typing import Final

import asyncpg

from menshen.adapters.storage.sql.engines.address import Address
from menshen.core.problems import Problem, ProblemCode
from menshen.ports.store.unfit import UnfitError

RETRY_SECONDS: Final = 1

_Say = Callable[[str, Address], str]

_LASTING: Final[dict[str, _Say]] = {
    "3D000": lambda _, at: f"there is no database {at.database} at {at}: create it, or correct the address",
    "28P01": lambda _, at: f"{at} refuses the password of the role {at.role}: correct it in the address",
    "28000": lambda said, at: (
        f"{at} refuses the role {at.role}: {said}; create the role, correct the address, or correct pg_hba.conf there"
        + (" (?sslmode=require asks for TLS)" if "no encryption" in said else "")
    ),
    "42501": lambda said, at: f"the role {at.role} lacks a right at {at}: {said}; grant it, or name another role",
    "42704": lambda said, at: f"{at} refuses the parameter options of the address: {said}",
    "22023": lambda said, at: f"{at} refuses the parameter options of the address: {said}",
}
"""Sentences by SQLSTATE, for what stays until an operator changes it."""

_AWAY: Final[dict[str, str]] = {
    "53300": "has no connection left (max_connections)",
    "57P03": "is starting up or shutting down",
    "57P01": "is shutting down",
    "57P02": "is shutting down after a crash",
    "25006": "takes no writes now: it is read-only",
    "53100": "takes no writes now: its disk is full",
}
"""Sentences by SQLSTATE, for what ends without a change of address or rights."""

_OURS: Final = frozenset({"0A", "3F", "42"})
"""Classes of SQLSTATE that say the same at every try."""

_POOLER: Final[tuple[tuple[re.Pattern[str], _Say], ...]] = (
    (
        re.compile(r"unsupported startup parameter(?: in options)?: ([A-Za-z_]+)"),
        lambda said, at: (
            f"the pooler at {at} refuses the parameter {said}: take it out of the address, and set it for the role "
            "instead (ALTER ROLE … SET …)"
        ),
    ),
    (
        re.compile(r"transaction blocks not allowed in statement pooling mode"),
        lambda _, at: f"the pooler at {at} has pool_mode = statement: transaction or session is needed",
    ),
    (
        re.compile(r"no such database|database does not allow"),
        lambda _, at: f"the pooler at {at} knows no database {at.database}: correct the address, or its [databases]",
    ),
    (
        re.compile(r"no such user"),
        lambda _, at: f"the pooler at {at} knows no role {at.role}: correct the address, or its auth_file",
    ),
    (re.compile(r"password authentication failed|auth(?:entication)? failed|wrong password type"), _LASTING["28P01"]),
)
"""What PgBouncer says with the SQLSTATE 08P01, which it uses for nearly everything."""

_POOLER_AWAY: Final = re.compile(
    r"no more connections allowed|server login|cannot connect to server|query_wait_timeout|shutting down|"
    r"database .* is (?:disabled|paused)|server conn crashed"
)


def away(sentence: str) -> Problem:
    """Return an outage."""
    return Problem(ProblemCode.UNAVAILABLE, sentence, RETRY_SECONDS)


def fault_of(error: BaseException, at: Address, seconds: float = 0) -> Problem:
    """Return the fault behind `error`, met at `at` after `seconds`: `UnfitError`, or `Problem` for an outage."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_server(error, at)
    if isinstance(error, ssl.SSLCertVerificationError):
        return UnfitError(
            f"the certificate of {at} is not trusted ({error.verify_message}): name its authority by sslrootcert, "
            "and the host as the certificate does"
        )
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "no reason given"
        return UnfitError(f"TLS with {at} fails ({reason}): compare what both sides allow")
    if isinstance(error, OSError | TimeoutError):
        return _of_way(error, at, seconds)
    return _of_driver(error, at)


def _of_server(error: asyncpg.PostgresError, at: Address) -> Problem:
    state, said = error.sqlstate or "", str(error)
    if state.startswith("08"):
        # PgBouncer uses them for nearly everything; the driver puts words of its own before those of the last breath.
        for words, say in _POOLER:
            if found := words.search(said):
                return UnfitError(say(found[1] if words.groups else said, at))
        if found := _POOLER_AWAY.search(said):
            return away(f"the pooler at {at} has no connection now: {found[0]}")
        return away(f"{at} hung up ({type(error).__name__})")
    if say_lasting := _LASTING.get(state):
        return UnfitError(say_lasting(said, at))
    if state == "42P07":
        return UnfitError(f"the database of {at} holds tables of another program: {said}; name an empty database")
    if state[:2] in _OURS:
        return UnfitError(f"{at} does not take a statement ({type(error).__name__}, SQLSTATE {state})")
    return away(f"{at} {_AWAY.get(state, f'failed ({type(error).__name__}, SQLSTATE {state})')}")


def _of_way(error: OSError, at: Address, seconds: float) -> Problem:
    """Return the fault of the way there."""
    if isinstance(error, TimeoutError):
        return away(f"{at} does not answer{f' within {seconds:g} s' if seconds else ''}")
    if isinstance(error, socket.gaierror):
        return away(f"the name of {at} is not known now: is it spelt right?")
    if isinstance(error, ConnectionRefusedError):
        return away(f"nobody listens at {at}: is PostgreSQL running, and is this its port?")
    if isinstance(error, PermissionError):
        return UnfitError(f"this process may not open the socket of {at}: give its user the right")
    if "rejected SSL upgrade" in str(error):
        return UnfitError(f"{at} speaks no TLS, and sslmode asks for it: turn it on there, or correct sslmode")
    if isinstance(error, FileNotFoundError):
        return away(f"there is no socket of {at}: is PostgreSQL running?")
    return away(f"{at} cannot be reached: {os.strerror(error.errno) if error.errno else type(error).__name__}")


def _of_driver(error: BaseException, at: Address) -> Problem:
    said = str(error)
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return away(f"no host of {at} is now what target_session_attrs asks for")
    if "authentication method" in said:
        return UnfitError(f"{at} asks the role {at.role} for a kind of proof that is not known here: use scram-sha-256")
    if isinstance(error, asyncpg.ClientConfigurationError) and said.startswith("root certificate file"):
        return UnfitError(f"sslmode asks for the certificate of an authority: name its file by sslrootcert ({at})")
    if isinstance(error, asyncpg.ClientConfigurationError | ValueError):
        # Its words may repeat parts of the address.
        return UnfitError(f"the address of {at} is of no form that the driver takes ({type(error).__name__})")
    return away(f"{at} failed ({type(error).__name__})")
