"""docs/contracts/careyshop.md sections 4 and 5: every field rule and its text."""

from collections.abc import Callable
from typing import Any

import pytest

from menshen.core.account.accounts import Gender
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused

LETTERS = "账号只能是字母、数字和下划线_及破折号-"


def code_of_a_reset(parameters: Parameters) -> str:
    return rules.code(parameters, texts.MOBILE_CODE)


def old_password(parameters: Parameters) -> str:
    return rules.password(parameters, "password_old", texts.OLD_PASSWORD)


Rule = Callable[[Parameters], Any]

REFUSED: list[tuple[Rule, dict[str, Any], str]] = [
    (rules.username, {}, "账号不能为空"),
    (rules.username, {"username": ""}, "账号不能为空"),
    (rules.username, {"username": None}, "账号不能为空"),
    (rules.username, {"username": "a b c d"}, LETTERS),
    (rules.username, {"username": "小明小明小"}, LETTERS),
    (rules.username, {"username": "ali ce1"}, LETTERS),
    (rules.username, {"username": "alice٣"}, LETTERS),
    (rules.username, {"username": "a.b1"}, LETTERS),
    (rules.username, {"username": ["abcd"]}, LETTERS),
    (rules.username, {"username": {"a": "b"}}, LETTERS),
    (rules.username, {"username": True}, LETTERS),
    (rules.username, {"username": 1.5}, LETTERS),
    (rules.username, {"username": "abc"}, "账号长度不符合要求 4,20"),
    (rules.username, {"username": "u" * 21}, "账号长度不符合要求 4,20"),
    (rules.password, {}, "密码不能为空"),
    (rules.password, {"password": ""}, "密码不能为空"),
    (rules.password, {"password": "12345"}, "密码长度不能小于 6"),
    (rules.password, {"password": "密码"}, "密码长度不能小于 6"),
    (rules.password, {"password": "0"}, "密码长度不能小于 6"),
    (rules.password, {"password": 12345}, "密码长度不能小于 6"),
    (rules.password, {"password": ["a"] * 6}, "密码格式不符"),
    (rules.password, {"password": True}, "密码格式不符"),
    (rules.new_password, {"password": "secret"}, "密码和确认字段不一致"),
    (rules.new_password, {"password": "secret", "password_confirm": "Secret"}, "密码和确认字段不一致"),
    (rules.new_password, {"password": "12345678", "password_confirm": 12345678}, "密码和确认字段不一致"),
    (rules.new_password, {"password": 1234567, "password_confirm": 1234567.0}, "密码和确认字段不一致"),
    (old_password, {}, "原始密码不能为空"),
    (old_password, {"password_old": "123"}, "原始密码长度不能小于 6"),
    (rules.platform, {}, "来源终端不能为空"),
    (rules.platform, {"platform": ""}, "来源终端不能为空"),
    (rules.platform, {"platform": "平" * 51}, "来源终端长度不能超过 50"),
    (rules.platform, {"platform": ["a"]}, "来源终端格式不符"),
    (rules.mobile, {}, "手机号不能为空"),
    (rules.mobile, {"mobile": "1380000000a"}, "手机号必须是数字"),
    (rules.mobile, {"mobile": "+8613800000"}, "手机号必须是数字"),
    (rules.mobile, {"mobile": "١٣٨٠٠٠٠٠٠٠٠"}, "手机号必须是数字"),
    (rules.mobile, {"mobile": "138 0000 0001"}, "手机号必须是数字"),
    (rules.mobile, {"mobile": 13800000001.5}, "手机号必须是数字"),
    (rules.mobile, {"mobile": -13800000001}, "手机号必须是数字"),
    (rules.mobile, {"mobile": 2.0**53}, "手机号必须是数字"),
    (rules.mobile, {"mobile": "\u200b123456"}, "手机号长度不符合要求 7,15"),
    (rules.mobile, {"mobile": ["1"]}, "手机号必须是数字"),
    (rules.mobile, {"mobile": "123456"}, "手机号长度不符合要求 7,15"),
    (rules.mobile, {"mobile": "1" * 16}, "手机号长度不符合要求 7,15"),
    (rules.email, {"email": "bad"}, "邮箱地址格式不符"),
    (rules.email, {"email": ["a@b.cn"]}, "邮箱地址格式不符"),
    (rules.email, {"email": "a" * 49 + "@example.com"}, "邮箱地址长度不能超过 60"),
    (rules.required_email, {}, "邮箱地址不能为空"),
    (rules.nickname, {"nickname": "n" * 51}, "昵称长度不能超过 50"),
    (rules.nickname, {"nickname": ["n"]}, "昵称格式不符"),
    (rules.required_nickname, {}, "昵称不能为空"),
    (rules.required_nickname, {"nickname": ""}, "昵称不能为空"),
    (rules.required_nickname, {"nickname": "\u200b\u3164"}, "昵称不能为空"),
    (rules.head_pic, {"head_pic": "h" * 513}, "头像长度不能超过 512"),
    (rules.nickname, {"nickname": "a\nb"}, "昵称格式不符"),
    (rules.nickname, {"nickname": "a\u202eb"}, "昵称格式不符"),
    (rules.head_pic, {"head_pic": "javascript:alert(1)"}, "头像格式不符"),
    (rules.head_pic, {"head_pic": "//u:p@h/x"}, "头像格式不符"),
    (rules.sex, {"sex": "3"}, "性别必须在 0,1,2 范围内"),
    (rules.sex, {"sex": -1}, "性别必须在 0,1,2 范围内"),
    (rules.sex, {"sex": True}, "性别必须在 0,1,2 范围内"),
    (rules.birthday, {"birthday": "abc"}, "生日不是一个有效的日期或时间格式"),
    (rules.birthday, {"birthday": "1990-13-01"}, "生日不是一个有效的日期或时间格式"),
    (rules.birthday, {"birthday": "1990-12-32"}, "生日不是一个有效的日期或时间格式"),
    (rules.birthday, {"birthday": 19900101}, "生日不是一个有效的日期或时间格式"),
    (rules.birthday, {"birthday": "1990-02-30"}, "生日必须使用日期格式 Y-m-d"),
    (rules.birthday, {"birthday": "1990/02/28"}, "生日必须使用日期格式 Y-m-d"),
    (rules.birthday, {"birthday": "2000-1-1x"}, "生日必须使用日期格式 Y-m-d"),
    (rules.birthday, {"birthday": "1990-02-28 08:00:00"}, "生日必须使用日期格式 Y-m-d"),
    (rules.client_id, {}, "账号编号不能为空"),
    (rules.client_id, {"client_id": "a"}, "账号编号必须是整数"),
    (rules.client_id, {"client_id": "1.0"}, "账号编号必须是整数"),
    (rules.client_id, {"client_id": True}, "账号编号必须是整数"),
    (rules.client_id, {"client_id": "9" * 5000}, "账号编号必须是整数"),
    (rules.client_id, {"client_id": "0"}, "账号编号必须大于 0"),
    (rules.client_id, {"client_id": -1}, "账号编号必须大于 0"),
    (rules.code, {}, "验证码不能为空"),
    (rules.code, {"code": "abc"}, "验证码必须是整数"),
    (rules.code, {"code": "١٢٣٤٥٦"}, "验证码必须是整数"),
    (rules.code, {"code": "123_456"}, "验证码必须是整数"),
    (rules.code, {"code": 12345.5}, "验证码必须是整数"),
    (rules.code, {"code": True}, "验证码必须是整数"),
    (rules.code, {"code": -12345}, "验证码必须是整数"),
    (rules.code, {"code": "1234567"}, "验证码长度不能超过 6"),
    (code_of_a_reset, {}, "手机验证码不能为空"),
    (code_of_a_reset, {"code": "abc"}, "手机验证码必须是整数"),
    (code_of_a_reset, {"code": "1234567"}, "手机验证码长度不能超过 6"),
    (rules.number, {}, "手机号或邮箱地址不能为空"),
    (rules.number, {"number": "abc"}, "手机号必须是数字"),
    (rules.number, {"number": "a@"}, "邮箱地址格式不符"),
    (rules.is_check, {"is_check": "2"}, "是否验证通过必须在 0,1 范围内"),
    (rules.is_check, {"is_check": True}, "是否验证通过必须在 0,1 范围内"),
    (rules.refresh, {}, "refresh不能为空"),
    (rules.refresh, {"refresh": "0" * 33}, "refresh长度不能超过 32"),
    (rules.refresh, {"refresh": []}, "refresh格式不符"),
]


@pytest.mark.parametrize(("rule", "parameters", "text"), REFUSED)
def test_refused(rule: Rule, parameters: dict[str, Any], text: str) -> None:
    with pytest.raises(Refused) as refused:
        rule(parameters)
    assert (refused.value.text, refused.value.status) == (text, 500)


KEPT: list[tuple[Rule, dict[str, Any], Any]] = [
    (rules.username, {"username": "abcd"}, "abcd"),
    (rules.username, {"username": "bob_B-2"}, "bob_B-2"),
    (rules.username, {"username": "u" * 20}, "u" * 20),
    (rules.username, {"username": 5555555}, "5555555"),
    (rules.username, {"username": 5555555.0}, "5555555"),
    # Judged as folded, and handed on as typed: the flows fold.
    (rules.username, {"username": "\u202dａlice1\u202c\n"}, "\u202dａlice1\u202c\n"),
    (rules.password, {"password": "密码密码密码"}, "密码密码密码"),
    (rules.password, {"password": " 12345"}, " 12345"),
    (rules.password, {"password": 12345678}, "12345678"),
    (rules.new_password, {"password": 12345678, "password_confirm": 12345678}, "12345678"),
    (rules.platform, {"platform": "平" * 50}, "平" * 50),
    (rules.platform, {"platform": "0"}, "0"),
    (rules.platform, {"platform": 5}, "5"),
    (rules.mobile, {"mobile": "13800000001"}, "+8613800000001"),
    (rules.mobile, {"mobile": 13800000018}, "+8613800000018"),
    (rules.mobile, {"mobile": 13800000018.0}, "+8613800000018"),
    (rules.mobile, {"mobile": "１３８００００００１８"}, "+8613800000018"),
    (rules.mobile, {"mobile": "\u202d13800000018\u202c\n"}, "+8613800000018"),
    (rules.email, {"email": "\u2068Bob@\u200bexample.com\u2069"}, "bob@example.com"),
    (rules.email, {"email": "a" * 48 + "@example.com\u200b"}, "a" * 48 + "@example.com"),
    (rules.nickname, {"nickname": "小\u200b明\ufeff"}, "小明"),
    (rules.nickname, {"nickname": "n" * 50 + "\u200b"}, "n" * 50),
    (rules.nickname, {"nickname": "👨‍👩‍👧 ❤️"}, "👨‍👩‍👧 ❤️"),
    (rules.mobile, {"mobile": "1380000"}, "+861380000"),
    (rules.email, {}, None),
    (rules.email, {"email": ""}, None),
    (rules.email, {"email": "Bob@Example.com"}, "bob@example.com"),
    (rules.nickname, {}, None),
    (rules.nickname, {"nickname": ""}, ""),
    (rules.nickname, {"nickname": "好" * 50}, "好" * 50),
    (rules.head_pic, {"head_pic": "//" + "h" * 510}, "//" + "h" * 510),
    (rules.sex, {}, None),
    (rules.sex, {"sex": "2"}, Gender.FEMALE),
    (rules.sex, {"sex": 0}, Gender.UNKNOWN),
    (rules.birthday, {"birthday": ""}, ""),
    (rules.birthday, {"birthday": None}, None),
    (rules.birthday, {"birthday": "2000-02-29"}, "2000-02-29"),
    (rules.client_id, {"client_id": "7"}, 7),
    (rules.client_id, {"client_id": 7}, 7),
    (rules.exclude_id, {}, None),
    (rules.exclude_id, {"exclude_id": "abc"}, None),
    (rules.exclude_id, {"exclude_id": ["1"]}, None),
    (rules.exclude_id, {"exclude_id": "1,user_id|1"}, 1),
    (rules.exclude_id, {"exclude_id": 7}, 7),
    (rules.exclude_id, {"exclude_id": "9" * 5000}, int("9" * 18)),
    (rules.code, {"code": "012345"}, "012345"),
    (rules.code, {"code": "123"}, "123"),
    (rules.code, {"code": 12345}, "012345"),
    (rules.code, {"code": 12345.0}, "012345"),
    (rules.code, {"code": "１２３ ４５６\n"}, "123456"),
    (rules.code, {"code": "\u202d123-456\u202c"}, "123456"),
    (rules.client_id, {"client_id": 7.0}, 7),
    (rules.number, {"number": "\u200bA＠example.com"}, "a@example.com"),
    (rules.number, {"number": 13800000001}, "+8613800000001"),
    (rules.number, {"number": "13800000001"}, "+8613800000001"),
    (rules.number, {"number": "A@example.com"}, "a@example.com"),
    (rules.is_check, {}, False),
    (rules.is_check, {"is_check": "0"}, False),
    (rules.is_check, {"is_check": 1}, True),
    (rules.refresh, {"refresh": "abc"}, "abc"),
]


@pytest.mark.parametrize(("rule", "parameters", "value"), KEPT)
def test_kept(rule: Rule, parameters: dict[str, Any], value: Any) -> None:
    assert rule(parameters) == value
