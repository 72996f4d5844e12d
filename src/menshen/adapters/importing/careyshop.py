"""Read CareyShop's tables `cs_app`, `cs_user` and `cs_token` from a dump. (docs/contracts/careyshop.md.)

Columns are found by their names, which equal the API's field names. A missing column counts as empty.
Tokens become digests here. Must not know the content of our database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Final
from zlib import crc32

from menshen.adapters.importing.mysqldump.reader import Row, Table, read_rows
from menshen.adapters.importing.mysqldump.window import DumpError, chunks
from menshen.core.account.accounts import Account, Gender, Profile, Status
from menshen.core.apps import CaptchaRule
from menshen.core.identifiers import claim_phone, masked, parse_email, parse_phone, parse_username
from menshen.core.login.hash_costs import ARGON2_PREFIX, BCRYPT_PREFIX
from menshen.core.moving_in import (
    AccountToImport,
    AppToImport,
    ImportResult,
    Reason,
    RecordKind,
    SessionToImport,
    left_out,
)
from menshen.core.networks import parse_address
from menshen.core.sessions.sessions import FIXED
from menshen.core.text.typed import folded, has_invisible
from menshen.core.time import NEVER, SECOND, Instant
from menshen.core.tokens import digest

Values = Mapping[str, str | None]

APP: Final = frozenset({"app_name", "app_key", "app_secret", "captcha", "status", "is_delete"})
USER: Final = frozenset(
    {
        "user_id", "username", "password", "mobile", "is_mobile", "email", "is_email", "nickname", "head_pic",
        "sex", "birthday", "status", "is_delete", "last_login", "last_ip", "create_time", "update_time",
    }
)  # fmt: skip
TOKEN: Final = frozenset(
    {"client_id", "client_type", "platform", "token", "token_expires", "refresh", "refresh_expires"}
)
_NEEDED: Final = {
    "app": frozenset({"app_key", "app_secret"}),
    "user": frozenset({"user_id", "username", "password"}),
    "token": frozenset({"client_id", "client_type", "platform", "token", "token_expires"}),
}
_COLUMNS: Final = {"app": APP, "user": USER, "token": TOKEN}

# CareyShop's account numbers have 32 bits, ours have 63. The highest of ours would leave no next number.
_HIGHEST: Final = 2**32 - 1
_SHANGHAI: Final = timezone(timedelta(hours=8))
_LATEST: Final = 253_402_300_799
_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_MOBILE: Final = re.compile(r"[0-9]{7,15}", re.ASCII)
_TOKEN_TEXT: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MD5: Final = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
_KNOWN_HASH: Final = re.compile(
    rf"{BCRYPT_PREFIX}[./A-Za-z0-9]{{53}}|{ARGON2_PREFIX}[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+", re.ASCII
)


@dataclass(frozen=True, slots=True)
class CareyShopDump:
    """Implement `menshen.ports.importing.ImportSource` on a dump.

    `prefix` is the prefix of the tables' names. With `trust_mobiles` all phones count as verified, because the shop
    checked each by a code. `progress` gets the number of bytes of each read.
    """

    path: Path
    prefix: str
    trust_mobiles: bool
    progress: Callable[[int], None]

    def people(self) -> Iterator[AppToImport | AccountToImport | ImportResult]:
        """Yield apps and accounts. Raises DumpError, also when the table of users is missing."""
        seen: set[str] = set()
        for table, row in self._rows({"app", "user"}, seen):
            yield app_of(row) if table == "app" else account_of(row, trust_mobiles=self.trust_mobiles)
        if "user" not in seen:
            raise DumpError(None, f"the dump holds no table {self.prefix}user")

    def sessions(self) -> Iterator[SessionToImport | ImportResult]:
        """Yield sessions. Raises DumpError."""
        for _, row in self._rows({"token"}, set()):
            yield session_of(row)

    def _rows(self, tables: Collection[str], seen: set[str]) -> Iterator[tuple[str, Row]]:
        wanted = {self.prefix + table: _COLUMNS[table] for table in tables}
        with self.path.open("rb", buffering=0) as file:
            for found in read_rows(chunks(file, self.progress), wanted):
                match found:
                    case Table(name, line, columns):
                        table = name.removeprefix(self.prefix)
                        seen.add(table)
                        if missing := sorted(_NEEDED[table].difference(columns)):
                            raise DumpError(line, f"{name} has no column {missing[0]}")
                    case Row():
                        yield found.table.removeprefix(self.prefix), found


def app_of(row: Row) -> AppToImport | ImportResult:
    """Return an app. A captcha is always required if the shop had it switched on, else by the rules of risk."""
    values = row.values
    # The appkey is neither secret nor personal: clients send it with every request.
    appkey = (values["app_key"] or "")[:20]
    if _is_set(values, "is_delete"):
        return left_out(RecordKind.APP, row.line, Reason.DELETED, appkey)
    return AppToImport(
        line=row.line,
        name=values.get("app_name") or "",
        appkey=appkey,
        secret=values["app_secret"] or "",
        captcha=CaptchaRule.ALWAYS if _is_set(values, "captcha") else CaptchaRule.RISK,
        disabled=values.get("status", "1") != "1",
    )


def account_of(row: Row, *, trust_mobiles: bool) -> AccountToImport | ImportResult:
    """Return an account. A deleted one has only its number."""
    values = row.values
    number, subject = _whole(values["user_id"]), masked(values["username"] or "")
    if not 0 < number <= _HIGHEST:
        return left_out(RecordKind.ACCOUNT, row.line, Reason.NUMBER_UNUSABLE, subject)
    created = _instant(values.get("create_time"))
    # A name may change, but the time of registration does not.
    mark = created // SECOND or crc32((values["username"] or "").encode())
    if _is_set(values, "is_delete"):
        closed = Account(number, "", status=Status.CLOSED, created_at=created, updated_at=created)
        return AccountToImport(row.line, number, mark, closed, subject, (Reason.DELETED,))
    reasons: list[Reason] = []
    phone, phone_verified = _phone(values, reasons, trusted=trust_mobiles)
    email, email_verified = _email(values, reasons)
    username = _username(values["username"], reasons)
    last_login, last_ip = _instant(values.get("last_login")), _address(values.get("last_ip"))
    account = Account(
        number,
        "",
        username=username,
        username_shown=values["username"] if username else None,
        phone=phone,
        phone_verified=phone_verified,
        email=email,
        email_verified=email_verified,
        status=Status.ACTIVE if values.get("status", "1") == "1" else Status.DISABLED,
        password_hash=_password(values["password"], reasons),
        created_at=created,
        updated_at=_instant(values.get("update_time")) or created,
        login_at=last_login,
        login_ip=last_ip,
        # CareyShop stores one last login and shows it to the user. Until the next login it is the last one and the one
        # before it.
        previous_login_at=last_login,
        previous_login_ip=last_ip,
        profile=Profile(
            nickname=_text(values, "nickname", 50),
            avatar_url=_text(values, "head_pic", 512),
            gender=_gender(values.get("sex")),
            birthday=_day(values.get("birthday")),
        ),
    )
    return AccountToImport(row.line, number, mark, account, subject, tuple(reasons))


def session_of(row: Row) -> SessionToImport | ImportResult:
    """Return a session. The table also holds tokens of administrators, who have other numbers. They are left out."""
    values = row.values
    number = _whole(values["client_id"])
    subject = f"#{number}"
    if values["client_type"] != "0":
        return left_out(RecordKind.SESSION, row.line, Reason.NOT_OF_AN_ACCOUNT, subject)
    token, refresh = values["token"] or "", values.get("refresh") or ""
    if not _TOKEN_TEXT.fullmatch(token):
        return left_out(RecordKind.SESSION, row.line, Reason.TOKEN_UNUSABLE, subject)
    expires = _instant(values["token_expires"])
    refreshable = _TOKEN_TEXT.fullmatch(refresh) is not None
    return SessionToImport(
        line=row.line,
        source_number=number,
        token=digest(token),
        refresh=digest(refresh) if refreshable else None,
        platform=_text(values, "platform", 50),
        # The table does not store the time of issue. It follows from the expiry.
        issued_at=Instant(max(0, expires - FIXED.absolute)),
        expires_at=expires,
        refresh_expires_at=_instant(values.get("refresh_expires")) if refreshable else NEVER,
    )


def _username(text: str | None, reasons: list[Reason]) -> str | None:
    # Another account of the shop may have the very name that this one only folds to.
    username = parse_username(text) if text and folded(text) == text else None
    if username is None:
        phone = text and parse_phone(text)
        reasons.append(Reason.USERNAME_IS_A_PHONE if phone else Reason.USERNAME_UNUSABLE)
    return username


def _phone(values: Values, reasons: list[Reason], *, trusted: bool) -> tuple[str | None, bool]:
    text = (values.get("mobile") or "").strip()
    if text in {"", "0"}:
        return None, False
    phone = parse_phone(text)
    if phone is not None:
        return phone, _seen(text, reasons) and (trusted or _is_set(values, "is_mobile"))
    reasons.append(Reason.PHONE_UNUSABLE)
    # Such a number can never get a code, but the account may show it, as after a registration.
    return (claim_phone(text), False) if _MOBILE.fullmatch(text) else (None, False)


def _email(values: Values, reasons: list[Reason]) -> tuple[str | None, bool]:
    text = (values.get("email") or "").strip()
    if not text:
        return None, False
    email = parse_email(text)
    if email is None:
        reasons.append(Reason.EMAIL_UNUSABLE)
    return email, email is not None and _seen(text, reasons) and _is_set(values, "is_email")


def _seen(text: str, reasons: list[Reason]) -> bool:
    """Return whether all of a phone or email is visible. Else the exact one may be another person's."""
    unseen = has_invisible(text)
    if unseen and Reason.IDENTIFIER_FOLDED not in reasons:
        reasons.append(Reason.IDENTIFIER_FOLDED)
    return not unseen


def _password(text: str | None, reasons: list[Reason]) -> str:
    """Return the hash in the form of `hashing.legacy`, or "" for a text that no password can match."""
    if text and _MD5.fullmatch(text):
        return f"careyshop${text.lower()}"
    if text and _KNOWN_HASH.fullmatch(text):
        return text
    reasons.append(Reason.PASSWORD_UNKNOWN)
    return ""


def _is_set(values: Values, name: str) -> bool:
    return values.get(name) not in {None, "", "0"}


def _whole(text: str | None) -> int:
    return int(text) if text and _DIGITS.fullmatch(text) else 0


def _instant(text: str | None) -> Instant:
    """Parse unix seconds, or `Y-m-d H:i:s` in Shanghai. Return NEVER for an empty, zero or invalid text."""
    if not text:
        return NEVER
    seconds = _whole(text)
    if not seconds and "-" in text:
        try:
            moment = datetime.fromisoformat(text)
            seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=_SHANGHAI)).astimezone(UTC).timestamp())
        except (ValueError, OverflowError):
            return NEVER
    return Instant(seconds * SECOND) if 0 < seconds <= _LATEST else NEVER


def _text(values: Values, name: str, longest: int) -> str:
    return (values.get(name) or "").replace("\0", "")[:longest]


def _gender(text: str | None) -> Gender:
    return Gender(int(text)) if text in {"0", "1", "2"} else Gender.UNKNOWN


def _day(text: str | None) -> str:
    try:
        return str(date.fromisoformat((text or "")[:10]))
    except ValueError:
        return ""


def _address(text: str | None) -> str:
    # Not ip_address: it takes any text as the zone of an IPv6 address, and answers would show that text.
    address = parse_address(text or "")
    return "" if address is None else str(address)
