"""What messages say, in Chinese and English. Values are a code or a masked identifier, never people's text."""

from __future__ import annotations

from typing import Final

from menshen.core.codes.messages import Message, Template

_CODE_ZH: Final = "验证码{code}，用于{what}，5分钟内有效。请勿告诉他人。"
_CODE_EN: Final = "{code} is your code to {what}. It is valid for 5 minutes. Tell nobody."

_WHAT: Final = {
    Template.CODE_LOGIN: ("登录", "log in"),
    Template.CODE_SIGNUP: ("注册", "sign up"),
    Template.CODE_RESET: ("重置密码", "reset your password"),
    Template.CODE_BIND: ("绑定账号", "bind this address"),
    Template.CODE_PROOF: ("验证身份", "confirm that it is you"),
    Template.CODE_VERIFY: ("身份验证", "verify this address"),
}

_NOTICE: Final = {
    Template.IDENTIFIER_CHANGED: (
        "您账号的登录方式已改为{detail}。如非本人操作，请立即重置密码。",
        "Your account's login was changed to {detail}. If this was not you, reset your password now.",
    ),
    Template.PASSWORD_CHANGED: (
        "您账号的密码已修改。如非本人操作，请立即重置密码。",
        "Your account's password was changed. If this was not you, reset it now.",
    ),
}

_SUBJECT: Final = ("账号通知", "About your account")


def body_of(message: Message) -> str:
    """The text of a message in its language ("en", else Chinese)."""
    column = 1 if message.language == "en" else 0
    if message.template in _WHAT:
        frame = _CODE_EN if column else _CODE_ZH
        return frame.format(code=message.code, what=_WHAT[message.template][column])
    return _NOTICE[message.template][column].format(detail=message.detail)


def subject_of(message: Message) -> str:
    """The subject line of an email."""
    return _SUBJECT[1 if message.language == "en" else 0]
