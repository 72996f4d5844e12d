"""Hold every sentence that this dialect says to people, in Chinese and English.

No part of a request enters a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from menshen.wire.http.languages import ENGLISH

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "malformed": ("请求格式不正确", "The request is malformed"),
    "wrong_credentials": ("账号或密码错误", "Wrong account or password"),
    "wrong_code": ("验证码错误或已失效", "The code is wrong or no longer valid"),
    "account_disabled": ("账号已被停用", "The account is disabled"),
    "not_found": ("请求的内容不存在", "There is nothing here"),
    "already_taken": ("该信息已被占用", "This is already taken"),
    "weak_password": ("密码过于简单", "The password is too weak"),
    "captcha": ("请先完成行为验证", "Please pass the behaviour test first"),
    "too_many_requests": ("操作过于频繁，请稍后重试", "Too many requests, try again later"),
    "password_suspended": ("密码登录已暂停", "Password login is suspended"),
    "unauthenticated": ("未登录或登录已过期", "Not logged in, or the login has expired"),
    "forbidden": ("没有权限", "Not allowed"),
    "proof_required": ("请先验证身份", "Please prove your identity first"),
    "second_step": ("账号已开启两步验证，请在网页登录", "This account asks for a second step: log in on the web"),
    "device_refused": ("设备信息不正确", "The device is not accepted"),
    "country_not_allowed": ("暂不支持该地区的手机号", "Numbers of this region are not supported"),
    "unavailable": ("服务暂不可用，请稍后重试", "The service is not available, try again later"),
    "internal": ("服务器内部错误", "Internal error"),
    "method_not_allowed": ("不支持的请求方式", "The method is not allowed"),
    "too_large": ("请求内容过大", "The request is too large"),
}
"""From the error word to its sentence in Chinese and in English."""


def sentence(word: str, language: str) -> str:
    """Return the sentence of an error word in `language`: "en", else Chinese."""
    chinese, english = TEXTS[word]
    return english if language == ENGLISH else chinese
