"""Read the address of a PostgreSQL database: postgresql://user:password@host:port/database?parameter=value.

The parameters are those of libpq. Each one works, or is refused by a sentence that names it: one that is left out in
silence could be the one that the operator's safety rests on. It imports no driver, so that each command may read it.
(docs/operate/settings.md#the-address-of-postgresql; the manual of PostgreSQL lists them as "Parameter Key Words".)
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

SCHEMES: Final = ("postgresql://", "postgres://")
EXAMPLE: Final = "postgresql://user:password@host:5432/database"

_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(:[0-9]{1,5})?", re.ASCII)

_PASSED_ON: Final = frozenset({
    "host", "port", "dbname", "database", "user", "password", "passfile", "sslmode", "sslcert", "sslkey", "sslrootcert",
    "sslcrl", "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version",
    "target_session_attrs", "krbsrvname", "gsslib",
})  # fmt: skip
"""What the driver reads by itself."""

_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "keepalives": ("0", "1"),
}

_ALREADY_SO: Final[Mapping[str, tuple[str, ...]]] = {
    "channel_binding": ("disable", "prefer"),
    "gssencmode": ("disable", "prefer"),
    "sslcompression": ("0",),
    "sslsni": ("1",),
    "sslcertmode": ("allow",),
    "load_balance_hosts": ("disable",),
    "client_encoding": ("utf8", "UTF8", "utf-8", "UTF-8", "auto"),
}
"""Values that ask for what is done anyway."""

_INSTEAD: Final[Mapping[str, str]] = {
    "channel_binding": "there is no channel binding here: take it out, and let sslmode=verify-full with sslrootcert "
    "show that the server is the right one",
    "gssencmode": "connections are encrypted by TLS only: take it out, and set sslmode",
    "load_balance_hosts": "hosts are tried in their order: take it out",
    "client_encoding": "it is always UTF8: take it out",
    "require_auth": "it is not known here: take it out, and set password_encryption and pg_hba.conf on the server",
    "hostaddr": "it is not known here: write the address as the host",
    "service": "files of services are not read: write the parameters into the address",
    "replication": "no replication is done here: take it out",
}

_NUMBERS: Final[Mapping[str, int]] = {
    "keepalives_idle": socket.TCP_KEEPIDLE,
    "keepalives_interval": socket.TCP_KEEPINTVL,
    "keepalives_count": socket.TCP_KEEPCNT,
    "tcp_user_timeout": socket.TCP_USER_TIMEOUT,
}
"""Options of the socket. A zero asks for the system's own value."""
_MOST: Final = {"keepalives_idle": 32_767, "keepalives_interval": 32_767, "keepalives_count": 127}
"""The highest values that Linux takes. (tcp(7))"""


class AddressError(ValueError):
    """Report in a sentence what is wrong with an address. It repeats no part that may hold the password."""


@dataclass(frozen=True, slots=True)
class Address:
    """Hold an address that was read. `str()` gives the place without a secret: host, port and database."""

    dsn: str = field(repr=False)
    place: str
    role: str
    database: str
    connect_seconds: float | None
    socket_options: tuple[tuple[int, int, int], ...]
    settings: Mapping[str, str]
    """What the server gets at the beginning of a connection."""
    files: tuple[tuple[str, str], ...]
    """Parameters that name files, with their paths."""

    def __str__(self) -> str:
        return self.place

    @property
    def missing_file(self) -> str | None:
        """Return a sentence about the first file that cannot be read, or None."""
        for name, path in self.files:
            if not os.access(path, os.R_OK):
                return f"the file {path} of the parameter {name} is missing or cannot be read"
        return None


def read_address(url: str) -> Address:
    """Read `url`.

    Raises:
        AddressError: it has no valid form, or a parameter is unknown or asks for what is not done here.
    """
    if not url.startswith(SCHEMES):
        raise AddressError("must begin with postgresql://")
    rest, _, query = url.partition("://")[2].partition("?")
    authority, _, path = rest.partition("/")
    login, _, hosts = authority.rpartition("@")
    shapes = [_HOST_AND_PORT.fullmatch(host) for host in hosts.split(",")]
    # Of a password with such a character in it, a part would stand as host, port or database, and be shown.
    if "#" in url or set("/@") & set(path) or not all(shapes):
        raise AddressError(f"is no address such as {EXAMPLE}; in a password / is %2F, ? is %3F, # is %23, @ is %40")
    given = _parameters(query)
    ports = [shape[2][1:] for shape in shapes if shape and shape[2]]
    _refuse_no_port(*ports, *filter(None, given.get("port", "").split(",")))
    user, has_password, password = login.partition(":")
    database = unquote(path) or given.get("dbname") or given.get("database") or os.environ.get("PGDATABASE") or ""
    role = unquote(user) or given.get("user") or os.environ.get("PGUSER") or "of this process's user"
    for name, value in given.items():
        _refuse(name, value)
    kept = {name: value for name, value in given.items() if name in _PASSED_ON}
    own_name = given.get("application_name") or given.get("fallback_application_name")
    settings = {"application_name": own_name or "menshen"}
    if options := given.get("options"):
        settings["options"] = options
    spelt = quote(unquote(user), safe="") + (":" + quote(unquote(password), safe="") if has_password else "")
    # A slash alone would name the database "", and the one of the parameters would not count.
    way = f"/{quote(unquote(path), safe='')}" if path else ""
    dsn = f"postgresql://{spelt + '@' if spelt else ''}{hosts}{way}"
    return Address(
        dsn=dsn + (f"?{urlencode(kept)}" if kept else ""),
        place=_place(hosts, given, database or role),
        role=role,
        database=database or role,
        connect_seconds=_connect_seconds(given),
        socket_options=tuple(_socket_options(given)),
        settings=settings,
        files=tuple((name, given[name]) for name in _FILES if given.get(name)),
    )


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise AddressError("has parameters of no valid form: they are written as ?name=value&name=value") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise AddressError(f"has the parameter {_shown(name)} twice")
        given[name] = value
    return given


def _refuse_no_port(*ports: str) -> None:
    for port in ports:
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            raise AddressError("has a port that is no number from 1 to 65535")


def _refuse(name: str, value: str) -> None:
    """Raise AddressError if the parameter is not known, or asks for what is not done here."""
    if name in _CHOICES and value not in _CHOICES[name]:
        raise AddressError(f"has the parameter {name} with no valid value: it is one of {', '.join(_CHOICES[name])}")
    if name == "sslrootcert" and value == "system":
        raise AddressError(
            "has sslrootcert=system: name the file of your system's certificates, "
            "such as /etc/ssl/certs/ca-certificates.crt"
        )
    if name in _NUMBERS or name == "connect_timeout":
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise AddressError(f"has the parameter {name}, which is no whole number")
        if int(value) > _MOST.get(name, 10**9):
            raise AddressError(f"has the parameter {name}, which is at most {_MOST[name]}")
        return
    if name in _PASSED_ON or name in _CHOICES or name in {"options", "application_name", "fallback_application_name"}:
        return
    if value in _ALREADY_SO.get(name, ()):
        return
    if name in _INSTEAD:
        raise AddressError(f"has the parameter {name} with a value that cannot be kept: {_INSTEAD[name]}")
    raise AddressError(
        f"has the parameter {_shown(name)}, which is not known here: take it out; a setting of the server is written "
        "as options=-cname%3Dvalue"
    )


def _shown(name: str) -> str:
    """Return a parameter's name if it looks like one: what else stands there may be a part of a password."""
    return name if re.fullmatch(r"[a-z][a-z0-9_.]{0,39}", name) else "of no valid name"


def _connect_seconds(given: Mapping[str, str]) -> float | None:
    # libpq takes a zero for no limit. There is always one here.
    return float(given["connect_timeout"]) or None if "connect_timeout" in given else None


def _socket_options(given: Mapping[str, str]) -> list[tuple[int, int, int]]:
    if given.get("keepalives") == "0":
        return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)]
    wanted = [(socket.IPPROTO_TCP, _NUMBERS[name], int(given[name])) for name in _NUMBERS if int(given.get(name, 0))]
    keeps = "keepalives" in given or any(name.startswith("keepalives_") for name in given)
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *wanted] if keeps else wanted


def _place(hosts: str, given: Mapping[str, str], database: str) -> str:
    """Return "host port 5432, database x" without a secret."""
    named = unquote(hosts) or given.get("host") or os.environ.get("PGHOST") or "the local socket"
    port = given.get("port") or os.environ.get("PGPORT") or "5432"
    places = []
    for one in named.split(","):
        shape = re.fullmatch(r"(\[.*\]|[^:]*):([0-9]+)", one)
        places.append(f"{shape[1]} port {shape[2]}" if shape else f"{one} port {port}")
    return f"{' or '.join(places)}, database {database}"
