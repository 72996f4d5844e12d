"""Describe the parameters of the calls, and attach to each call those that it reads.

`rules` and `public_rules` check parameters by the bounds that stand here. Must not know the calls.
(docs/contracts/careyshop.md sections 1.3, 4.1 and 5.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from menshen.core.account.profiles import TEXTS
from menshen.wire.careyshop.problems import Reworded

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Field:
    """Describe a parameter: what it is, and what its value may be. A value is a text.

    Lengths are in characters; 0 means no bound. `pattern` matches the whole text. `choices` are all values, if not
    empty.
    """

    name: str
    about: str
    least: int = 0
    most: int = 0
    pattern: str = ""
    choices: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True)
class Reads:
    """Describe a call: the parameters that it needs, and those that it may have.

    `reworded` changes refusals of its flow, `refuses` are texts of its own. An answer is `{status, message, data}`, and
    `picture` says that it can be bytes of a PNG. With `steps`, a refusal can have data: a second step is due.
    """

    needed: tuple[Field, ...] = ()
    optional: tuple[Field, ...] = ()
    reworded: Reworded | None = None
    refuses: tuple[str, ...] = ()
    picture: bool = False
    steps: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return all parameters of the call itself, the needed ones first."""
        return self.needed + self.optional


def reads(
    *needed: Field,
    optional: tuple[Field, ...] = (),
    reworded: Reworded | None = None,
    refuses: tuple[str, ...] = (),
    picture: bool = False,
    steps: bool = False,
) -> Callable[[H], H]:
    """Attach a `Reads` to a handler. The function itself is not changed."""
    described = Reads(needed, optional, reworded, refuses, picture, steps)

    def attach(handler: H) -> H:
        cast("Any", handler).reads = described
        return handler

    return attach


def reads_of(handler: Callable[..., Any]) -> Reads:
    """Return what `reads` attached.

    Raises:
        AttributeError: `handler` has no description.
    """
    described: Reads = cast("Any", handler).reads
    return described


# --- public parameters, in the order of their rules ---
APPKEY: Final = Field("appkey", "The app's number.", 8, 8, "[0-9]+", example="24311548")
TOKEN: Final = Field(
    "token", "The session's token. Without it `Authorization: Bearer` is read. `0` counts as none.", most=100
)
SIGN: Final = Field(
    "sign", "The checksum of all other parameters. Needed with a token, in a batch, and where the app asks for it.", 32
)
TIMESTAMP: Final = Field(
    "timestamp",
    "The time: Unix seconds, `Y-m-d H:i:s` in Asia/Shanghai, or ISO 8601. At most 600 s from the server's.",
)
FORMAT: Final = Field("format", "The form of the answer, `json` by default.", choices=("json", "jsonp", "xml"))
METHOD: Final = Field("method", "The name of the method.", most=100)
CALLBACK: Final = Field(
    "callback", "The function that JSONP calls, `jsonpReturn` by default.", most=255, pattern=r"[A-Za-z_$][\w$.]{0,63}"
)

PUBLIC: Final = (APPKEY, TOKEN, SIGN, TIMESTAMP, FORMAT, METHOD, CALLBACK)
"""The parameters that every call may have."""

# --- parameters of the calls ---
USERNAME: Final = Field("username", "The name of the account; case does not matter.", 4, 20, "[A-Za-z0-9_-]+")
PASSWORD: Final = Field("password", "The password.", 6)
PASSWORD_CONFIRM: Final = Field("password_confirm", "The same password again.", 6)
PASSWORD_OLD: Final = Field("password_old", "The password so far.", 6)
PLATFORM: Final = Field(
    "platform", "Where the person logs in, as `iOS`. An account has one session for each.", 1, 50, example="iOS"
)
MOBILE: Final = Field("mobile", "A phone; mainland China without a prefix.", 7, 15, "[0-9]+", example="13900139000")
EMAIL: Final = Field("email", "An email address.", most=60, example="ken@example.com")
NICKNAME: Final = Field(
    "nickname", "The name to show, in one plain line. Unique in this API.", most=TEXTS["nickname"].most
)
HEAD_PIC: Final = Field("head_pic", "The http(s) address of a picture.", most=TEXTS["avatar_url"].most)
SEX: Final = Field("sex", "0 unknown, 1 male, 2 female.", choices=("0", "1", "2"))
BIRTHDAY: Final = Field("birthday", "A day, as `1990-01-31`.", pattern="([0-9]{4}-[0-9]{2}-[0-9]{2})?")
CLIENT_ID: Final = Field("client_id", "The number of the account: `user_id` of the login.", pattern="[0-9]{1,40}")
EXCLUDE_ID: Final = Field("exclude_id", "The number of an account that does not count.", pattern="[0-9]{1,18}")
CODE: Final = Field("code", "The code that was sent.", 1, 6, "[0-9]+", example="044359")
NUMBER: Final = Field("number", "The phone or email that the code was sent to.", 1, 60)
IS_CHECK: Final = Field(
    "is_check", "1 marks the caller's own phone or email as verified; this needs a token.", choices=("0", "1")
)
REFRESH: Final = Field("refresh", "The refresh token of the pair.", 1, 32)
TICKET: Final = Field("ticket", "The ticket of a login that needs a second step.", 1, 32)
FACTOR: Final = Field(
    "factor", "The kind of the second factor, `totp` by default; `recovery` for a recovery code.", most=32,
    pattern="[a-z][a-z0-9_]*", example="totp",
)  # fmt: skip
STEP_CODE: Final = Field("code", "The code of the second factor, as a text.", 1, 64, example="044359")
SECOND_CODE: Final = Field(
    "second_code", "A code of the second factor, where the account has one. It spares the second call.", most=64
)
LOGIN_CODE: Final = Field("login_code", "The characters of the picture, when the app asks for a captcha.")
SESSION_ID: Final = Field("session_id", "The captcha's session, of `get.app.captcha`.")
GENERATE: Final = Field(
    "generate", "`base64` answers in JSON, `image` with the PNG itself.", choices=("image", "base64")
)
BATCH: Final = Field("batch", "The calls: `{version, controller, method, …}` each.")

CAPTCHA: Final = (LOGIN_CODE, SESSION_ID)
"""The solution of a captcha, in calls that can ask for one."""
