"""How many instructions of Python's machine the package itself takes for a call: the same on every machine.

Frames of other packages are left out: how often the event loop turns is the machine's affair.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import menshen

T = TypeVar("T")
PACKAGE = f"{Path(menshen.__file__).parent}/"


async def instructions(call: Awaitable[T]) -> tuple[int, T]:
    """Count what the package executes on this thread until `call` ends; the count and the call's result.

    What C does is not in it: a statement of SQLite counts as the call that asked for it.
    """
    count = 0

    def step(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
        return step

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
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
