"""Every secret of the run, and the places where none of them may stand. (docs/security/attacks.md LG-1.)

Harness and started servers tell what secrets passed through their hands; files, rows, log lines and refusals are then
searched for them. What is found is named by its kind, never by itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from menshen.app.keys_file import load_keyring
from menshen.app.telemetry.logs import configure_logs
from menshen.core.keys import Keyring, Use

_TOKEN: Final = re.compile(r"[0-9a-z]{26}|[0-9a-f]{32}")
_NO_PASSWORD: Final = re.compile(r"[0-9]*|[A-Za-z]{,11}|[0-9A-Fa-f]{32,}|(?:\$|careyshop\$|md5\$).*", re.DOTALL)
_RUN: Final = re.compile(rb"[0-9a-z]{26,}")
_CODE: Final = re.compile(r"[0-9]{6}")
_PID: Final = re.compile(r'"pid": ?[0-9]+')
_CODES: Final = re.compile(r"(?<![0-9A-Za-z.:+-])[0-9]{6}(?![0-9A-Za-z.:-])")
_TOKEN_LENGTHS: Final = (26, 32)
_TELLING: Final = 8
"""Shorter texts stand anywhere."""
_FEW: Final = 40
"""So many tokens are looked for one by one; more of them in all that looks like one, which costs the same for any."""
_MOST_SPELT: Final = 200
"""So many tokens are looked for as the bytes they spell, too: that costs a search each."""
_KEYS: Final = frozenset({"keys.toml", ".keys.toml.new"})
_DUMPS: Final = frozenset({".sql", ".gz"})
"""What another program is said to have left: made by the tests."""
_SHARED: Final = (
    "Tr0ub4dor&3-horse", "correct-battery-9-staple", "Passw0rd!", "correct horse", "Zk12345678", "Quiet-Otter-17",
)  # fmt: skip
"""The passwords of the people whom most tests are about."""
_TOOLS: Final = frozenset({".hypothesis", "schemathesis-report"})
"""Folders in which a test's tool remembers what it sent."""


class Canary:
    """Secrets by value, with their kinds; what else was said, so that a name which is a password too is no leak."""

    def __init__(self, over: Canary | None = None) -> None:
        """`over` hears of everything, too."""
        self._over = over
        self._tokens: dict[bytes, str] = {}
        self._texts: dict[bytes, tuple[str, str]] = {}
        self._raw: dict[bytes, str] = {}
        self._codes: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        self._said: set[str] = set()

    def learn(self, kind: str, value: str) -> None:
        """A secret, unless it may stand anywhere by right: a word, a number, the text of a hash."""
        if _CODE.fullmatch(value):
            self._codes[value] = kind
        elif kind != "password" and _TOKEN.fullmatch(value):
            self._tokens[value.encode()] = kind
        elif len(value) >= _TELLING and len(set(value)) > 4 and not _NO_PASSWORD.fullmatch(value):
            self._texts |= dict.fromkeys(_forms(value), (kind, value))
        if self._over is not None:
            self._over.learn(kind, value)

    def learn_hash(self, value: str) -> None:
        """What a row keeps by right, and no log and no answer tells."""
        if value:
            self._hashes[value] = "password hash"
        if self._over is not None:
            self._over.learn_hash(value)

    def learn_keys(self, keyring: Keyring) -> None:
        """The installation's keys and what is derived from them."""
        for key in (*keyring.keys, keyring.index):
            for secret in (key.secret, *(key.derive(use) for use in Use)):
                self._raw[secret] = self._raw[secret.hex().encode()] = "key"
        if self._over is not None:
            self._over.learn_keys(keyring)

    def tell(self, text: str) -> None:
        """Something said that is no secret."""
        self._said.add(text)
        if self._over is not None:
            self._over.tell(text)

    def found(self, raw: bytes) -> set[str]:
        """The kinds of the secrets that stand in `raw`."""
        hits = {(kind, secret.decode("latin-1")) for secret, kind in self._raw.items() if secret in raw}
        if self._tokens:
            hits |= set(self._tokens_in(raw))
        hits |= {kind_and_text for form, kind_and_text in self._texts.items() if form in raw}
        return {kind for kind, value in hits if not any(value in said for said in self._said)}

    def told(self, text: str) -> set[str]:
        """As `found`, for a log or an answer: neither codes, where they stand alone, nor hashes belong there."""
        codes = {kind for code in _CODES.findall(_PID.sub("", text)) if (kind := self._codes.get(code))}
        hashes = {kind for value, kind in self._hashes.items() if value in text}
        return self.found(text.encode("utf-8", "replace")) | codes | hashes

    def forget_codes(self) -> None:
        """Six digits are few: those of one test would be found in another by chance."""
        self._codes.clear()

    def _tokens_in(self, raw: bytes) -> Iterator[tuple[str, str]]:
        if len(self._tokens) <= _FEW:
            yield from ((kind, token.decode()) for token, kind in self._tokens.items() if token in raw)
        for run in _RUN.findall(raw) if len(self._tokens) > _FEW else ():
            for length in _TOKEN_LENGTHS:
                for start in range(len(run) - length + 1):
                    if kind := self._tokens.get(run[start : start + length]):
                        yield kind, run[start : start + length].decode()
        for token, kind in list(self._tokens.items())[:_MOST_SPELT]:
            if len(token) == 32 and bytes.fromhex(token.decode()) in raw:
                yield kind, token.decode()


RUN: Final = Canary()
"""What this process has seen since its start."""


class _Log:
    """A stream that keeps what was logged, and lets it pass."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        self.lines.append(text)
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


_LOG: Final = _Log()


def listen_to_the_log() -> None:
    """From now on log as a server does, and keep it for `demand_clean_log`; again and again does no harm."""
    root = logging.getLogger()
    if structlog.is_configured() and any(getattr(handler, "stream", None) is _LOG for handler in root.handlers):
        return
    configure_logs("info")
    # What is remembered at first use outlives the next who configures.
    structlog.configure(cache_logger_on_first_use=False)
    for handler in root.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(_LOG)
    # It tells of every call that a test makes.
    logging.getLogger("httpx").setLevel("WARNING")


def demand_none(where: str, kinds: Iterable[str]) -> None:
    """Raises AssertionError that names the place and the kinds."""
    __tracebackhide__ = True
    if names := sorted(kinds):
        raise AssertionError(f"{where} holds what must not be there: {', '.join(names)}")


def demand_clean_folder(folder: Path, canary: Canary) -> None:
    """No file of a data directory but its keys holds a secret. Raises AssertionError."""
    __tracebackhide__ = True
    for path in sorted(folder.rglob("*")):
        if path.name in _KEYS or path.suffix in _DUMPS or not _TOOLS.isdisjoint(path.parts) or not path.is_file():
            continue
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            # The last to close a database takes its log away.
            continue
        demand_none(path.name, canary.found(raw))


def demand_clean_log() -> None:
    """No line that was logged since the last call tells a secret. Raises AssertionError."""
    __tracebackhide__ = True
    text = "".join(_LOG.lines)
    _LOG.lines.clear()
    kinds = RUN.told(text) if text else set[str]()
    RUN.forget_codes()
    demand_none("the log", kinds)


def demand_clean_run(folder: Path) -> None:
    """No file that the run left in its folder for temporary files holds what all tests share. Raises AssertionError."""
    __tracebackhide__ = True
    shared = Canary()
    for secret in _SHARED:
        shared.learn("shared password", secret)
    demand_clean_folder(folder, shared)


def demand_clean_site(data: Path, log: Path, url: str, canary: Canary) -> None:
    """Neither data directory nor log nor, with `url`, PostgreSQL's rows of started servers hold a secret.

    Raises AssertionError.
    """
    __tracebackhide__ = True
    if (keys := data / "keys.toml").exists():
        canary.learn_keys(load_keyring(keys))
    demand_clean_folder(data, canary)
    if log.exists():
        demand_none("the log", canary.told(log.read_text("utf-8", "replace")))
    if url:
        # Whether or not a loop runs here already.
        with ThreadPoolExecutor(1) as pool:
            demand_none("a row", canary.found(pool.submit(lambda: asyncio.run(rows_of(url))).result()))


_HEX: Final = re.compile(rb"\\x((?:[0-9a-f]{2})+)")


async def rows_of(url: str) -> bytes:
    """Every row of the PostgreSQL at `url` as text, and its byte strings once more as they are."""
    connection = await asyncpg.connect(url, timeout=60)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        if not names:
            return b""
        each = (f'SELECT t::text AS line FROM "{name}" AS t' for (name,) in names)
        lines = await connection.fetch(" UNION ALL ".join(each))
    finally:
        await connection.close()
    text = "\n".join(line for (line,) in lines).encode()
    return text + b"\n" + b"\n".join(bytes.fromhex(found.decode()) for found in _HEX.findall(text))


def _forms(text: str) -> set[bytes]:
    """A text as it may stand: as it is, and as JSON says it."""
    raw = text.encode("utf-8", "surrogatepass")
    return {raw, json.dumps(text)[1:-1].encode()}
