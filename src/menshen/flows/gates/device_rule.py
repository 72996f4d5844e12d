"""Refuse devices without a valid sign at a hardened app, in every dialect.

Dialects check the sign (`core.sessions.devices`). The calls of a dialect that carry no device are refused here.
(docs/contracts/weidu.md section 4.1, docs/contracts/careyshop.md section 3.2, decision 0050.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin

T = TypeVar("T")


def behind_device_rule(flow: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T | Denied]]:
    """Return `flow`, whose last argument is the Origin, with Denied DEVICE_REQUIRED for devices without a sign."""

    async def gated(*asks: Any) -> T | Denied:
        origin: Origin = asks[-1]
        if origin.app.hardened and not origin.device.signed:
            return Denied(ProblemCode.DEVICE_REQUIRED, field="device_sign")
        return await flow(*asks)

    return gated
