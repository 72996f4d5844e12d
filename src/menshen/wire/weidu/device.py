"""Check the five device fields that several calls take. (docs/contracts/weidu.md section 4.1.)"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from menshen.core.plain_text import PLAIN_LINE
from menshen.core.problems import Denied
from menshen.core.sessions.devices import Device, DeviceFields, judge_device
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.decode import Seconds, Whole

_Text = Annotated[
    str,
    Meta(max_length=128, extra_json_schema={"pattern": PLAIN_LINE}, description="Optional until the app is hardened."),
    Whole(PLAIN_LINE),
]


class DeviceBody(Struct, frozen=True, kw_only=True):
    """Describe the device that a call comes from."""

    device_model: _Text = ""
    device_name: _Text = ""
    timestamp: Annotated[int, Meta(description="Unix seconds, at most 600 s off."), Seconds()] | UnsetType = UNSET
    device_id: _Text = ""
    device_sign: Annotated[
        str, Meta(max_length=128, description="Optional until the app is hardened. An hmac sign is good once.")
    ] = ""


def device_of(body: DeviceBody, call: Call) -> Device | Denied:
    """Return the device, or its refusal: DEVICE_REQUIRED, INVALID_REQUEST, DEVICE_SIGN_INVALID, TIMESTAMP_SKEWED."""
    given = DeviceFields(
        device_id=body.device_id,
        model=body.device_model,
        name=body.device_name,
        sign=body.device_sign,
        timestamp=None if body.timestamp is UNSET else body.timestamp,
    )
    return judge_device(call.app, given, call.flows.now())
