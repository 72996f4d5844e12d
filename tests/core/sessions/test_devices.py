"""Device fields and their sign: three schemes, golden vectors, edges of time. (docs/contracts/weidu.md section 4.)"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.apps import App, DeviceSign
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.devices import Device, DeviceFields, identifying, judge_device, sign_device
from menshen.core.time import NEVER, Instant

NOW = Instant(1_795_219_200_000)
SECONDS = NOW // 1000
APP = App(1, "default", "11111111", "0123456789abcdef0123456789abcdef")
HARD = replace(APP, hardened=True)
HMAC = replace(APP, device_sign=DeviceSign.HMAC)
FULL = DeviceFields("device-1", "Mi 10", "小明的手机", sign_device(APP, "device-1", SECONDS), SECONDS)
REQUIRED = ("device_id", "device_model", "device_name", "device_sign", "timestamp")
NAMES = dict(zip(REQUIRED, ("device_id", "model", "name", "sign", "timestamp"), strict=True))


# Made with md5sum, sha256sum and `openssl dgst -sha256 -hmac`, not with this program.
@pytest.mark.parametrize(
    ("scheme", "timestamp", "sign"),
    [
        (DeviceSign.MD5, 0, "eac60515306f95b4857c9b6bec3b50d1"),
        (DeviceSign.MD5, 1_795_219_200, "eac60515306f95b4857c9b6bec3b50d1"),
        (DeviceSign.MD5_SHA256, 0, "3b2274b1e3c6283e9cbc3c1c1250640506eec7c5b1780b5155fa29a9553f9fd7"),
        (DeviceSign.HMAC, 1_795_219_200, "568765c4b593e0c349e002daef5ad4915ad5de2bdf99136f43c848d2ab99165a"),
    ],
)
def test_golden(scheme: DeviceSign, timestamp: int, sign: str) -> None:
    app = replace(APP, device_sign=scheme)
    assert sign_device(app, "device-1", timestamp) == sign
    given_fields = DeviceFields("device-1", sign=sign, timestamp=timestamp)
    verdict = judge_device(app, given_fields, Instant(timestamp * 1000))
    assert isinstance(verdict, Device)
    assert replace(verdict, spends="", spends_until=NEVER) == Device("device-1", signed=True)


def test_names_are_utf_8_under_the_sign() -> None:
    app = replace(APP, app_name="微店", device_sign=DeviceSign.MD5)
    assert sign_device(app, "设备", 0) == "908384ab72ca5896ed148a15b8661ae6"


def test_everything_told_is_kept() -> None:
    assert judge_device(HARD, FULL, NOW) == Device("device-1", "Mi 10", "小明的手机", signed=True)


def test_nothing_told_is_no_device_unless_the_app_is_hardened() -> None:
    assert judge_device(APP, DeviceFields(), NOW) == Device()
    assert judge_device(APP, DeviceFields("", "", "", ""), NOW) == Device()
    assert judge_device(HARD, DeviceFields(), NOW) == Denied(ProblemCode.DEVICE_REQUIRED, field="device_id")


@pytest.mark.parametrize("field", REQUIRED)
@pytest.mark.parametrize("empty", [None, ""])
def test_a_hardened_app_asks_for_every_field(field: str, empty: str | None) -> None:
    missing = replace(FULL, **{NAMES[field]: None if field == "timestamp" else empty})  # type: ignore[arg-type]
    assert judge_device(HARD, missing, NOW) == Denied(ProblemCode.DEVICE_REQUIRED, field=field)
    assert not isinstance(judge_device(APP, replace(missing, sign=None), NOW), Denied)


@pytest.mark.parametrize("field", ["device_id", "device_model", "device_name"])
def test_fields_have_128_characters_at_most(field: str) -> None:
    name = NAMES[field]
    for app in (APP, HARD):
        for length, good in ((128, True), (129, False)):
            asked = replace(FULL, **{name: "设" * length})  # type: ignore[arg-type]
            asked = replace(asked, sign=sign_device(app, asked.device_id or "", SECONDS))
            verdict = judge_device(app, asked, NOW)
            assert isinstance(verdict, Device) == good
            assert good or verdict == Denied(ProblemCode.INVALID_REQUEST, field=field)


@pytest.mark.parametrize("field", ["device_id", "device_model", "device_name"])
@pytest.mark.parametrize(
    "text", ["a\nb", "a\x1b[2J", "\x7f", "\x85", "\u202egnp", "\u2066a", "\u2028", "a\u200f", "\ud83d"]
)
def test_fields_are_plain_lines(field: str, text: str) -> None:
    asked = replace(FULL, **{NAMES[field]: text})  # type: ignore[arg-type]
    asked = replace(asked, sign=sign_device(APP, asked.device_id or "", SECONDS))
    for app in (APP, HARD):
        assert judge_device(app, asked, NOW) == Denied(ProblemCode.INVALID_REQUEST, field=field)


@pytest.mark.attack("SG-3")
@pytest.mark.parametrize(
    ("seconds", "at", "good"),
    [
        (SECONDS - 600, NOW, True), (SECONDS - 601, NOW, False), (SECONDS + 600, NOW, True),
        (SECONDS + 601, NOW, False), (SECONDS - 600, NOW + 1, False), (SECONDS + 600, NOW - 1, False),
        (NOW, NOW, False), (0, NOW, False), (-SECONDS, NOW, False), (10**15, NOW, False),
    ],
)  # fmt: skip
def test_a_timestamp_lies_within_600_seconds(seconds: int, at: int, good: bool) -> None:
    for app in (APP, HARD, HMAC):
        asked = replace(FULL, timestamp=seconds, sign=sign_device(app, "device-1", seconds))
        verdict = judge_device(app, asked, Instant(at))
        assert isinstance(verdict, Device) == good
        assert good or verdict == Denied(ProblemCode.TIMESTAMP_SKEWED, field="timestamp")


@pytest.mark.attack("SG-6", "TY-10")
@pytest.mark.parametrize("scheme", list(DeviceSign))
@pytest.mark.parametrize("hardened", [True, False])
def test_a_wrong_sign_is_refused_also_where_none_is_asked_for(scheme: DeviceSign, hardened: bool) -> None:
    app = replace(APP, device_sign=scheme, hardened=hardened)
    right = sign_device(app, "device-1", SECONDS)
    wrong = [right[:-1], right + "0", right.upper(), " " + right, "é", "\ud800", "0" * len(right)]
    wrong += [sign_device(replace(app, app_name="other"), "device-1", SECONDS), sign_device(app, "device-2", SECONDS)]
    for sign in wrong:
        assert judge_device(app, replace(FULL, sign=sign), NOW) == Denied(
            ProblemCode.DEVICE_SIGN_INVALID, field="device_sign"
        )


@pytest.mark.attack("SG-3", "SG-6")
def test_an_hmac_sign_cannot_be_replayed_or_made_without_the_secret() -> None:
    asked = replace(FULL, sign=sign_device(HMAC, "device-1", SECONDS))
    assert isinstance(judge_device(HMAC, asked, NOW), Device)
    later = replace(asked, timestamp=SECONDS + 1)
    assert judge_device(HMAC, later, NOW) == Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")
    timeless = replace(asked, timestamp=None)
    assert judge_device(HMAC, timeless, NOW) == Denied(ProblemCode.DEVICE_REQUIRED, field="timestamp")
    forged = replace(asked, sign=sign_device(replace(HMAC, secret="guessed"), "device-1", SECONDS))
    assert judge_device(HMAC, forged, NOW) == Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")


def test_an_hmac_sign_is_good_once_for_as_long_as_it_is_believed_at_all() -> None:
    asked = replace(FULL, sign=sign_device(HMAC, "device-1", SECONDS))
    first, again = judge_device(HMAC, asked, NOW), judge_device(HMAC, asked, Instant(NOW + 600_000))
    assert isinstance(first, Device)
    assert first.spends
    assert first == again
    # The mark is no sign: who reads it in the database has nothing to send.
    assert (asked.sign or "") not in first.spends
    assert isinstance(judge_device(HMAC, asked, Instant(first.spends_until - 1)), Device)
    assert isinstance(judge_device(HMAC, asked, first.spends_until), Denied)
    others = [replace(asked, timestamp=SECONDS + 1), replace(asked, device_id="device-2")]
    marks = {first.spends}
    for other in others:
        signed = replace(other, sign=sign_device(HMAC, other.device_id or "", other.timestamp or 0))
        verdict = judge_device(HMAC, signed, NOW)
        assert isinstance(verdict, Device)
        marks.add(verdict.spends)
    assert len(marks) == 3


def test_nothing_else_is_to_be_spent() -> None:
    unsigned = judge_device(HMAC, replace(FULL, sign=None), NOW)
    verdicts = [unsigned, *(judge_device(replace(APP, device_sign=scheme), FULL, NOW) for scheme in DeviceSign)]
    for verdict in verdicts:
        assert isinstance(verdict, Denied) or (verdict.spends, verdict.spends_until) == ("", NEVER)
    assert sum(isinstance(verdict, Device) for verdict in verdicts) == 2


def test_the_plain_schemes_need_no_time() -> None:
    for scheme in (DeviceSign.MD5, DeviceSign.MD5_SHA256):
        app = replace(APP, device_sign=scheme)
        asked = DeviceFields("device-1", sign=sign_device(app, "device-1", 0))
        assert judge_device(app, asked, NOW) == Device("device-1", signed=True)


SHARED = [
    "", " ", "0", "000000000000000", "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}",
    "00000000000000000000000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "02:00:00:00:00:00", "020000000000", "02-00-00-00-00-00", "00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF",
    "004999010640000", "00499901064000 0", "012345678912345", "0123456789ABCDEF", "9774d56d682e549c",
    "9774D56D682E549C",
    "unknown", "Unknown", "UNKNOWN", " unknown ", "<unknown>", "null", "(null)", "NULL", "nil", "undefined", "None",
    "NaN", "n/a", "N/A", "[object Object]", "-", "---", "null\u200b", "\ufeffunknown", "string", "device_id",
    "deviceId", "default", "Unknown-Device", "111111111111111", "[object Undefined]", "００００", "ｕｎｋｎｏｗｎ",
    "\u2800",
    # The digests of an empty text, of the nil UUID and of the address 02:00:00:00:00:00.
    "d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E", "9f89c84a559f573636a47ff8daed0d33",
    "0f607264fc6318a92b9e13c65db7cd3c", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
]  # fmt: skip


@pytest.mark.attack("SG-6")
@pytest.mark.parametrize("device_id", SHARED, ids=ascii)
def test_an_id_that_many_devices_send_identifies_none_and_its_sign_still_fits(device_id: str) -> None:
    assert identifying(device_id) == ""
    given_fields = replace(FULL, device_id=device_id or "0", sign=sign_device(HARD, device_id or "0", SECONDS))
    assert judge_device(HARD, given_fields, NOW) == Device("", "Mi 10", "小明的手机", signed=True)
    wrong = replace(given_fields, sign=sign_device(HARD, "", SECONDS))
    assert judge_device(HARD, wrong, NOW) == Denied(ProblemCode.DEVICE_SIGN_INVALID, field="device_sign")


@pytest.mark.parametrize(
    "device_id",
    ["d-1", "7", "10", "00000000-0000-0000-0000-000000000001", "867400021234567", "02:00:00:00:00:01", "fffff",
     "phone",
     "9774d56d682e549d", "a" * 128, "设备", "1111", "0x0", "null-7", "unknown1", "pc",
     "4d8f1c2e-6b5a-4f3e-9d7c-0a1b2c3d4e5f"],
)  # fmt: skip
def test_any_other_id_is_kept_as_it_is(device_id: str) -> None:
    assert identifying(device_id) == device_id


@pytest.mark.attack("IN-12")
def test_nothing_unseen_is_kept_of_a_device_and_nothing_else_of_it_changes() -> None:
    told = DeviceFields("d\u200b-1\ufeff", "Ｐ\u206040", "Ken’s\u200b 📱\u200d")
    assert judge_device(APP, told, NOW) == Device("d-1", "Ｐ40", "Ken’s 📱")


texts = st.none() | st.text(max_size=140)


@given(
    st.builds(DeviceFields, texts, texts, texts, texts, st.none() | st.integers()), st.sampled_from(list(DeviceSign))
)
def test_nothing_told_by_a_client_raises_or_signs_by_luck(fields: DeviceFields, scheme: DeviceSign) -> None:
    verdict = judge_device(replace(APP, device_sign=scheme), fields, NOW)
    assert isinstance(verdict, Denied) or not verdict.signed
