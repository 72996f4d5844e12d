"""Hold all texts of this dialect. No other module of the package holds a sentence.

The rules fill the braces: the first `{}` is the field's label, the second is the allowed value.
(docs/contracts/careyshop.md sections 1 to 5.)
"""

from __future__ import annotations

from typing import Final

# --- answers of the dialect itself ---
SUCCESS: Final = "success"
VERB: Final = "不支持的请求方式"
NOT_FOUND: Final = "请求地址不存在"
FORBIDDEN: Final = "权限不足"
UNAUTHENTICATED: Final = "未授权或授权已过期"
TOKEN_EXPIRED: Final = "token已过期"
APP: Final = "appkey已禁用或不存在"
SIGN_MISSING: Final = "sign不存在"
SIGN_WRONG: Final = "sign错误"
BUSY: Final = "系统繁忙，请稍后重试"
TOO_OFTEN: Final = "操作过于频繁，请{}秒后重试"
TOO_OFTEN_UNTIMED: Final = "操作过于频繁，请稍后重试"
BODY_TOO_LARGE: Final = "请求内容不能超过 16 KiB"
BODY_TOO_SLOW: Final = "请求内容接收超时"
TOO_MANY_PARAMETERS: Final = "请求参数不能超过 64 个"
TOO_DEEP: Final = "请求参数嵌套不能超过 8 层"
INVALID: Final = "请求参数不符合要求"

# --- rules: the label of a field, then the error ---
EMPTY: Final = "{}不能为空"
SHAPE: Final = "{}格式不符"
TOO_SHORT: Final = "{}长度不能小于 {}"
TOO_LONG: Final = "{}长度不能超过 {}"
LENGTH: Final = "{}长度不符合要求 {}"
NO_INTEGER: Final = "{}必须是整数"
NO_DIGITS: Final = "{}必须是数字"
NOT_ABOVE: Final = "{}必须大于 {}"
NOT_IN: Final = "{}必须在 {} 范围内"
ALPHA_DASH: Final = "{}只能是字母、数字和下划线_及破折号-"
TAKEN: Final = "{}已存在"
WRONG: Final = "{}错误"
NO_DATE: Final = "{}不是一个有效的日期或时间格式"
NO_DATE_FORMAT: Final = "{}必须使用日期格式 Y-m-d"

# --- labels ---
ACCOUNT: Final = "账号"
PASSWORD: Final = "密码"
OLD_PASSWORD: Final = "原始密码"
PLATFORM: Final = "来源终端"
MOBILE: Final = "手机号"
EMAIL: Final = "邮箱地址"
NUMBER: Final = "手机号或邮箱地址"
NICKNAME: Final = "昵称"
HEAD_PIC: Final = "头像"
SEX: Final = "性别"
BIRTHDAY: Final = "生日"
CLIENT_ID: Final = "账号编号"
CODE: Final = "验证码"
MOBILE_CODE: Final = "手机验证码"
IS_CHECK: Final = "是否验证通过"
REFRESH: Final = "refresh"
GENERATE: Final = "generate"

# --- refusals of flows ---
CONFIRM: Final = "密码和确认字段不一致"
TIMESTAMP_FORMAT: Final = "无效的日期格式"
TIMESTAMP_EXPIRED: Final = "timestamp已过期"
CREDENTIALS: Final = "账号或密码错误"
SUSPENDED: Final = "密码错误次数过多，请找回密码后重试"
WEAK_PASSWORD: Final = "密码过于简单，请更换"
PASSWORD_TOO_LONG: Final = "密码长度不能超过 1024 字节"
PASSWORD_OWN_WORDS: Final = "密码不能由账号、手机号等组成，请更换"
USERNAME_REFUSED: Final = "账号不能使用手机号或邮箱地址"
CODE_WRONG: Final = "验证码错误"
CODE_DEAD: Final = "验证码已失效"
CODE_VOID: Final = "验证码已无效"
CAPTCHA_EMPTY: Final = "验证码不能为空"
CAPTCHA_WRONG: Final = "验证码输入错误"
CAPTCHA_GONE: Final = "验证码不存在或已过期"
REFRESH_WRONG: Final = "refresh错误"
REFRESH_EXPIRED: Final = "refresh已过期"
PROOF: Final = "请先验证身份"
DEVICE: Final = "设备信息不符合要求"
DEVICE_SIGN: Final = "设备签名错误"
COUNTRY: Final = "暂不支持该手机号"
DELIVERY: Final = "验证码发送失败，请稍后重试"
GONE: Final = "数据不存在"

# --- batch ---
BATCH_SHAPE: Final = "batch参数与规则不符"
BATCH_EMPTY: Final = "请求结果为空"
BATCH_TOO_LONG: Final = "batch不能超过 20 项"
BATCH_REFUSED: Final = "该接口不支持批量请求"
