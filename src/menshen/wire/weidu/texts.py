"""Hold this dialect's sentences for people, in Chinese and English.

A sentence holds no text of a request: the placeholders are the server's numbers and the contract's field names.
(docs/contracts/weidu.md sections 1.2 and 6.)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import Final

from menshen.wire.http.languages import ENGLISH


class Message(StrEnum):
    """Name each sentence."""

    MALFORMED = auto()
    FIELD_INVALID = auto()
    FIELD_FORBIDDEN = auto()
    FIELD_REQUIRED = auto()
    PASSWORD_SHORT = auto()
    PASSWORD_LONG = auto()
    PASSWORD_COMMON = auto()
    PASSWORD_OWN_WORDS = auto()
    COUNTRY_NOT_ALLOWED = auto()
    TIMESTAMP_SKEWED = auto()
    WRONG_CREDENTIALS = auto()
    WRONG_CODE = auto()
    UNAUTHENTICATED = auto()
    ACCOUNT_DISABLED = auto()
    DEVICE_SIGN_INVALID = auto()
    CSRF = auto()
    FORBIDDEN = auto()
    PROOF_REQUIRED = auto()
    SECOND_FACTOR_REQUIRED = auto()
    WRONG_SECOND_FACTOR = auto()
    TICKET_INVALID = auto()
    WRONG_PASSKEY = auto()
    PASSKEY_UNKNOWN = auto()
    CHALLENGE_EXPIRED = auto()
    NOT_FOUND = auto()
    NOT_REGISTERED = auto()
    METHOD_NOT_ALLOWED = auto()
    ALREADY_TAKEN = auto()
    PAYLOAD_TOO_LARGE = auto()
    CAPTCHA_REQUIRED = auto()
    CAPTCHA_INVALID = auto()
    TOO_MANY_REQUESTS = auto()
    TOO_MANY_REQUESTS_SOME_TIME = auto()
    PASSWORD_SUSPENDED = auto()
    INTERNAL = auto()
    OVERLOADED = auto()
    UNAVAILABLE = auto()
    DELIVERY_FAILED = auto()


TEXTS: Final[Mapping[Message, tuple[str, str]]] = {
    Message.MALFORMED: ("请求格式不正确", "The request is malformed"),
    Message.FIELD_INVALID: ("参数 {field} 缺失或不正确", "The field {field} is missing or not valid"),
    Message.FIELD_FORBIDDEN: ("参数 {field} 不允许修改", "The field {field} may not be changed"),
    Message.FIELD_REQUIRED: ("缺少设备信息 {field}", "The device field {field} is required"),
    Message.PASSWORD_SHORT: ("密码至少需要{minimum}个字符", "The password needs at least {minimum} characters"),
    Message.PASSWORD_LONG: ("密码过长", "The password is too long"),
    Message.PASSWORD_COMMON: ("密码过于常见，请换一个", "The password is too common, choose another"),
    Message.PASSWORD_OWN_WORDS: (
        "密码不能基于账号、手机号等个人信息",
        "The password must not lean on your account, phone or other personal details",
    ),
    Message.COUNTRY_NOT_ALLOWED: ("暂不支持该地区的手机号", "Numbers of this region are not supported"),
    Message.TIMESTAMP_SKEWED: ("设备时间与服务器时间相差过大", "The device's clock is too far from the server's"),
    Message.WRONG_CREDENTIALS: ("账号或密码错误", "Wrong account or password"),
    Message.WRONG_CODE: ("验证码错误或已失效", "The code is wrong or no longer valid"),
    Message.UNAUTHENTICATED: ("未登录或登录已过期", "Not logged in, or the login has expired"),
    Message.ACCOUNT_DISABLED: ("账号已被停用", "The account is disabled"),
    Message.DEVICE_SIGN_INVALID: ("设备标识校验失败", "The device sign does not fit"),
    Message.CSRF: ("请求来源校验失败", "The origin of the request could not be verified"),
    Message.FORBIDDEN: ("没有权限", "Not allowed"),
    Message.PROOF_REQUIRED: ("请先验证身份", "Please prove your identity first"),
    Message.SECOND_FACTOR_REQUIRED: (
        "账号已开启两步验证，请完成验证",
        "This account needs a second step: please complete it to log in",
    ),
    Message.WRONG_SECOND_FACTOR: ("验证失败，请重试", "That did not match, please try again"),
    Message.TICKET_INVALID: ("登录已失效，请重新登录", "This login has expired, please log in again"),
    Message.WRONG_PASSKEY: ("通行密钥验证失败，请重试", "The passkey was not accepted, please try again"),
    Message.PASSKEY_UNKNOWN: ("没有账号使用此通行密钥", "This passkey belongs to no account"),
    Message.CHALLENGE_EXPIRED: ("验证已过期，请重试", "This took too long, please try again"),
    Message.NOT_FOUND: ("请求的内容不存在", "There is nothing here"),
    Message.NOT_REGISTERED: ("账号尚未注册", "The account is not registered"),
    Message.METHOD_NOT_ALLOWED: ("不支持的请求方式", "The method is not allowed"),
    Message.ALREADY_TAKEN: ("该信息已被占用", "This is already taken"),
    Message.PAYLOAD_TOO_LARGE: ("请求内容过大", "The request is too large"),
    Message.CAPTCHA_REQUIRED: ("请先完成行为验证", "Please pass the behaviour test first"),
    Message.CAPTCHA_INVALID: ("行为验证无效或已过期", "The behaviour test is not valid or has expired"),
    Message.TOO_MANY_REQUESTS: ("操作过于频繁，请{seconds}秒后重试", "Too many requests, try again in {seconds} s"),
    Message.TOO_MANY_REQUESTS_SOME_TIME: ("操作过于频繁，请稍后重试", "Too many requests, try again later"),
    Message.PASSWORD_SUSPENDED: (
        "密码登录已暂停，请使用短信验证码登录或重置密码",
        "Password login is suspended: log in with a code, or reset the password",
    ),
    Message.INTERNAL: ("服务器内部错误", "Internal error"),
    Message.OVERLOADED: ("服务器繁忙，请稍后重试", "The server is busy, try again later"),
    Message.UNAVAILABLE: ("服务暂不可用，请稍后重试", "The service is not available, try again later"),
    Message.DELIVERY_FAILED: ("验证码发送失败，请稍后重试", "The code could not be sent, try again later"),
}


def sentence(message: Message, language: str, **values: object) -> str:
    """Return the sentence in `language` ("en", else Chinese), with its placeholders filled from `values`."""
    chinese, english = TEXTS[message]
    return (english if language == ENGLISH else chinese).format(**values)
