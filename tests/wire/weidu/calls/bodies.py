"""Hold good and wrong values of the fields of all calls."""

from __future__ import annotations

from typing import Any

GOOD: dict[str, Any] = {
    "login_id": "13544285663",
    "mobile": "13544285663",
    "email": "ken@example.com",
    "password": "Zk12345678",
    "passwd": "Zk12345678",
    "old_password": "Zk12345679",
    "sms_code": "482913",
    "email_code": "482913",
    "proof_code": "482913",
    "captcha_token": "t" * 26,
    "captcha_id": "e30=",
    "purpose": "login",
    "device_model": "P40",
    "device_name": "Ken's",
    "device_id": "d1",
    "device_sign": "",
    "timestamp": 1_601_803_195,
    "username": "hello_ken",
    "nickname": "呵呵哒",
    "avatar_url": "https://cdn.example/a.png",
    "city": "深圳",
    "province": "广东",
    "country": "中国",
    "gender": 1,
    "level": "等级",
    "major": "主营",
    "desc": "个人\n简介",
    "login_ticket": "t" * 26,
    "trust_token": "t" * 26,
    "second_code": "482913",
    "recovery_code": "abcd-efgh-jkmn",
    "method": "totp",
    "code": "482913",
    "credential": {"id": "AQ", "response": {"signature": "AQ"}},
    "name": "Ken's phone",
    "trust_device": True,
    "on": True,
    "confirmed": True,
}
NUMBERS_TOO = {"sms_code", "email_code", "proof_code"}
NOT_TEXT: list[Any] = [True, False, 1.5, -0.0, -1, 2.0**53, 1e300, [], ["x"], {}, {"$ne": 1}]
WHOLE: list[Any] = [0, 1, 1.0, 2**62]


ODD_TIMES = [
    *(
        "",
        "x",
        "0x1",
        "1601803195.0",
        " 1601803195",
        "1601803195\n",
        "-1",
        "+1",
        "1" * 16,
        "１６０１８０３１９５",
        "1e9",
    ),
    *(True, False, 1601803195.5, -1.0, 2.0**53, [], {}),
]
NO_CREDENTIAL = [True, 0, 1.5, "", "{}", [], ["x"], {}, {str(n): n for n in range(33)}]
NO_TEXTS: dict[str, list[Any]] = {
    "timestamp": ODD_TIMES,
    "gender": [True, False, 3, -1, 1.5, -0.0, "1", "male", "男 ", [], {}],
    "credential": NO_CREDENTIAL,
    **{key: [0, 1, 1.0, "", "true", [], {}] for key in ("on", "confirmed", "trust_device")},
}
"""Wrong values of the fields that are no texts."""


def wrong_values(name: str, required: bool, field: dict[str, Any]) -> list[Any]:
    if name in NO_TEXTS:
        return NO_TEXTS[name]
    wrong = [*NOT_TEXT]
    if required:
        wrong.append(None)
    # A code or the name of a login may be a whole number; one of a phone must be a phone.
    if not (name in NUMBERS_TOO or (name == "login_id" and "username" in field.get("description", ""))):
        wrong += WHOLE
    if "maxLength" in field:
        wrong.append("x" * (field["maxLength"] + 1))
    if required or name in {"purpose", "username", "method"}:
        wrong.append("")
    if "enum" in field:
        wrong += ["LOGIN", "login ", "verify"]
    if "pattern" in field:
        wrong += ["a\x01b", "a\u202eb", "a\u2028b", "a\x7f", "a\x9b", "a\u061cb", "a\u200eb", "a\u200fb"]
        if name != "desc":
            wrong += ["a\n", "a\tb"]
    if name == "avatar_url":
        wrong += ["javascript:alert(1)", "data:text/html,x", "ftp://a/b", "/only/path", "//", "http://", "http://a b"]
        wrong += [
            'http://a/"x',
            "http://a/<x>",
            "http://u:p@a/",
            "http://a\\b",
            "https:a",
            " https://a",
            "https://a/\n",
        ]
    # The password login takes any name; the others a phone or an address.
    if name in {"mobile", "email"} or (name == "login_id" and "username" not in field.get("description", "")):
        wrong += ["x", "@", "+", "１２３", "a@b@c.com", "110"]
    return wrong
