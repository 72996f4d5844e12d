"""One row at a time: what CareyShop's columns may hold, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menshen.adapters.importing import careyshop
from menshen.adapters.importing.mysqldump.reader import Row
from menshen.core.account.accounts import Gender, Status
from menshen.core.apps import CaptchaRule
from menshen.core.moving_in import AccountToImport, AppToImport, ImportResult, Reason, SessionToImport
from menshen.core.time import DAY
from menshen.core.tokens import digest
from tests.adapters.importing import shop

HASH = shop.HASH


def came(trusted: bool = False, /, **values: str | None) -> AccountToImport:
    row = Row("cs_user", 3, {"user_id": "5", "username": "user5", "password": HASH} | values)
    found = careyshop.account_of(row, trust_mobiles=trusted)
    assert isinstance(found, AccountToImport)
    return found


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (HASH, f"careyshop${HASH}"),
        (HASH.upper(), f"careyshop${HASH}"),
        (shop.BCRYPT, shop.BCRYPT),
        (shop.ARGON2, shop.ARGON2),
    ],
)
def test_a_known_hash_is_kept(text: str, stored: str) -> None:
    found = came(password=text)
    assert found.account.password_hash == stored
    assert found.reasons == ()


@pytest.mark.parametrize(
    "text",
    [None, "", "plain", HASH[:-1], HASH + "0", HASH + "\n", "g" * 32, f"careyshop${HASH}", "$2y$10$short", "*" * 41],
)  # fmt: skip
def test_anything_else_is_no_password(text: str | None) -> None:
    found = came(password=text)
    assert found.account.password_hash == ""
    assert found.reasons == (Reason.PASSWORD_UNKNOWN,)


@pytest.mark.parametrize(
    ("mobile", "is_mobile", "trusted", "phone", "verified", "reasons"),
    [
        ("13800000005", "1", False, "+8613800000005", True, ()),
        ("13800000005", "0", False, "+8613800000005", False, ()),
        ("13800000005", None, False, "+8613800000005", False, ()),
        ("13800000005", "0", True, "+8613800000005", True, ()),
        (" 8613800000005 ", "1", False, "+8613800000005", True, ()),
        ("0085261234567", "1", False, "+85261234567", True, ()),
        ("1234567", "1", True, "+861234567", False, (Reason.PHONE_UNUSABLE,)),
        ("123", "1", True, None, False, (Reason.PHONE_UNUSABLE,)),
        ("abc", "1", False, None, False, (Reason.PHONE_UNUSABLE,)),
        ("", "1", True, None, False, ()),
        ("0", "1", True, None, False, ()),
        (None, "1", True, None, False, ()),
    ],
)
def test_a_mobile(
    mobile: str | None, is_mobile: str | None, trusted: bool, phone: str | None, verified: bool, reasons: Any
) -> None:
    found = came(trusted, mobile=mobile, is_mobile=is_mobile)
    assert (found.account.phone, found.account.phone_verified, found.reasons) == (phone, verified, reasons)


@pytest.mark.parametrize(
    ("email", "is_email", "kept", "verified", "reasons"),
    [
        ("A@Example.com", "1", "a@example.com", True, ()),
        ("a@example.com", "0", "a@example.com", False, ()),
        ("nobody", "1", None, False, (Reason.EMAIL_UNUSABLE,)),
        ("", "1", None, False, ()),
        (None, "1", None, False, ()),
    ],
)
def test_an_email(email: str | None, is_email: str, kept: str | None, verified: bool, reasons: Any) -> None:
    found = came(email=email, is_email=is_email)
    assert (found.account.email, found.account.email_verified, found.reasons) == (kept, verified, reasons)


@pytest.mark.parametrize(
    ("name", "kept", "reasons"),
    [
        ("User_5-x", "user_5-x", ()),
        ("123456", "123456", ()),
        ("13800000005", None, (Reason.USERNAME_IS_A_PHONE,)),
        ("abc", None, (Reason.USERNAME_UNUSABLE,)),
        ("x" * 21, None, (Reason.USERNAME_UNUSABLE,)),
        ("a b c d", None, (Reason.USERNAME_UNUSABLE,)),
        ("user5\n", None, (Reason.USERNAME_UNUSABLE,)),
        ("张三丰丰", None, (Reason.USERNAME_UNUSABLE,)),
        ("", None, (Reason.USERNAME_UNUSABLE,)),
        (None, None, (Reason.USERNAME_UNUSABLE,)),
    ],
)
def test_a_username(name: str | None, kept: str | None, reasons: Any) -> None:
    found = came(username=name)
    assert (found.account.username, found.reasons) == (kept, reasons)
    assert found.account.username_shown == (name if kept else None)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1529334164", 1_529_334_164_000),
        ("2018-06-18 23:02:44", 1_529_334_164_000),
        ("2018-06-18T15:02:44+00:00", 1_529_334_164_000),
        ("0", 0),
        ("", 0),
        (None, 0),
        ("-5", 0),
        ("0000-00-00 00:00:00", 0),
        ("yesterday-ish", 0),
        ("1e9", 0),
        ("999999999999", 0),
        ("9" * 40, 0),
        ("0001-01-01 00:00:00", 0),
    ],
)
def test_a_moment(text: str | None, instant: int) -> None:
    account = came(create_time=text, last_login=text).account
    assert (account.created_at, account.login_at) == (instant, instant)


@pytest.mark.parametrize(("text", "status"), [("1", Status.ACTIVE), ("0", Status.DISABLED), ("2", Status.DISABLED)])
def test_only_1_is_enabled(text: str, status: Status) -> None:
    assert came(status=text).account.status is status


@pytest.mark.parametrize(
    ("column", "text", "field", "kept"),
    [
        ("sex", "2", "gender", Gender.FEMALE),
        ("sex", "9", "gender", Gender.UNKNOWN),
        ("birthday", "1990-02-28", "birthday", "1990-02-28"),
        ("birthday", "1990-02-30", "birthday", ""),
        ("birthday", "0000-00-00", "birthday", ""),
        ("birthday", None, "birthday", ""),
        ("nickname", "a\0b", "nickname", "ab"),
        ("nickname", "长" * 60, "nickname", "长" * 50),
        ("head_pic", "//host/x.jpg", "avatar_url", "//host/x.jpg"),
    ],
)
def test_a_profile(column: str, text: str | None, field: str, kept: object) -> None:
    assert getattr(came(**{column: text}).account.profile, field) == kept


@pytest.mark.parametrize(("text", "kept"), [("203.0.113.9", "203.0.113.9"), ("::1", "::1"), ("<b>", ""), (None, "")])
def test_an_address(text: str | None, kept: str) -> None:
    assert came(last_ip=text).account.login_ip == kept


def test_a_deleted_account_keeps_its_number_and_nothing_else() -> None:
    found = came(is_delete="1", mobile="13800000005", is_mobile="1", email="a@b.example", nickname="x")
    assert found.reasons == (Reason.DELETED,)
    kept = found.account
    assert (kept.number, kept.status) == (5, Status.CLOSED)
    assert (kept.username, kept.phone, kept.email, kept.password_hash, kept.profile.nickname) == (
        None,
        None,
        None,
        "",
        "",
    )


def token_row(**values: str | None) -> Row:
    whole = {
        "client_id": "5", "client_type": "0", "platform": "PC ", "token": "a" * 32, "token_expires": "1795219200",
        "refresh": "b" * 32, "refresh_expires": "1795305600",
    }  # fmt: skip
    return Row("cs_token", 9, whole | values)


def test_a_token_becomes_digests() -> None:
    found = careyshop.session_of(token_row())
    assert isinstance(found, SessionToImport)
    assert (found.token, found.refresh) == (digest("a" * 32), digest("b" * 32))
    assert (found.expires_at, found.refresh_expires_at) == (1_795_219_200_000, 1_795_305_600_000)
    assert found.issued_at == found.expires_at - 30 * DAY
    assert "aaaa" not in repr(found)
    assert repr(digest("a" * 32))[2:-1] not in repr(found)


@pytest.mark.parametrize("refresh", [None, "", "short", "B" * 32])
def test_a_token_without_a_refresh(refresh: str | None) -> None:
    found = careyshop.session_of(token_row(refresh=refresh))
    assert isinstance(found, SessionToImport)
    assert (found.refresh, found.refresh_expires_at) == (None, 0)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"client_type": "1"}, Reason.NOT_OF_AN_ACCOUNT),
        ({"client_type": None}, Reason.NOT_OF_AN_ACCOUNT),
        ({"client_type": ""}, Reason.NOT_OF_AN_ACCOUNT),
        ({"token": "A" * 32}, Reason.TOKEN_UNUSABLE),
        ({"token": "a" * 31}, Reason.TOKEN_UNUSABLE),
        ({"token": None}, Reason.TOKEN_UNUSABLE),
    ],
)
def test_a_token_of_nobody_here(values: dict[str, str | None], reason: Reason) -> None:
    found = careyshop.session_of(token_row(**values))
    assert isinstance(found, ImportResult)
    assert found.reasons == (reason,)


@pytest.mark.parametrize(
    ("text", "rule"), [("1", CaptchaRule.ALWAYS), ("0", CaptchaRule.RISK), (None, CaptchaRule.RISK)]
)
def test_an_app(text: str | None, rule: CaptchaRule) -> None:
    values = {"app_name": "Shop", "app_key": "88888888", "app_secret": "s" * 32, "captcha": text, "status": "1"}
    found = careyshop.app_of(Row("cs_app", 2, values))
    assert isinstance(found, AppToImport)
    assert (found.appkey, found.captcha, found.disabled) == ("88888888", rule, False)
    assert "ssss" not in repr(found)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_row_is_too_odd(data: st.DataObject) -> None:
    odd = st.one_of(
        st.none(),
        st.text(st.characters(codec="utf-8"), max_size=40),
        st.sampled_from(["0", "1", "9" * 30, "-1", "0000-00-00", "13800000005", "a@b.example", "٣", "²"]),
    )
    for table, columns, make in (
        ("cs_user", careyshop.USER, lambda row: careyshop.account_of(row, trust_mobiles=True)),
        ("cs_token", careyshop.TOKEN, careyshop.session_of),
        ("cs_app", careyshop.APP, careyshop.app_of),
    ):
        row = Row(table, 1, {column: data.draw(odd) for column in sorted(columns)})
        assert make(row).line == 1
