"""How many instructions of Python's machine a call takes on the event loop's thread: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


async def instructions(call: Awaitable[T]) -> tuple[int, T]:
    """What `call` took, with all that ran on this thread meanwhile, and its result.

    What C does is not in it: a statement of SQLite counts as the call that asked for it.
    """
    count = 0

    def step(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
        return step

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        result = await call
    finally:
        sys.settrace(before)
    return count, result
