"""A worker that stops where a test says, to be killed there: `python stopping_courier.py DATA PLAN`.

The couriers are those of a server, with the settings of the environment. PLAN is JSON: for the numbers of messages,
the steps at which each of them stops. It prints a line for each that has stopped, and goes on with the others.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from menshen.app.settings.reader import load_settings
from menshen.core.delivery.messages import Try
from menshen.flows.delivery.courier import Courier, keep_delivering
from menshen.ports.delivery import Accepted, Handover, Sender
from menshen.ports.store.store import Store, WriteTx

T = TypeVar("T")


class Step(StrEnum):
    """Where a worker stops."""

    CLAIMING = "claiming"
    """The claim is written and not committed. Nothing else is written meanwhile."""
    CLAIMED = "claimed"
    """The claim is committed, the vendor was not called."""
    ANSWERED = "answered"
    """The vendor accepted it, nothing of that is written."""
    NOTING = "noting"
    """The verdict is written and not committed. Nothing else is written meanwhile."""
    NOTED = "noted"
    """The verdict is committed."""


Plan = Mapping[int, Step]


def tell(step: Step, message_id: int) -> None:
    print(step.value, message_id, flush=True)


async def stop(step: Step, message_id: int) -> None:
    """Tell, and never go on. The rest of the process does."""
    tell(step, message_id)
    await asyncio.Event().wait()


def freeze(step: Step, message_id: int) -> None:
    """Tell, and never go on, nor does anything else in this process."""
    tell(step, message_id)
    threading.Event().wait()


@dataclass
class StoppingStore:
    """A store whose transactions about messages stop."""

    inner: Store
    plan: Plan

    @property
    def read(self) -> Any:
        return self.inner.read

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        task = asyncio.current_task()
        words = task.get_name().split() if task else []
        message_id = int(words[1]) if words[:1] == ["message"] else 0
        step = self.plan.get(message_id)
        claims = False

        async def stopped(tx: WriteTx) -> T:
            nonlocal claims
            result = await work(tx)
            claims = isinstance(result, Try)
            if step is (Step.CLAIMING if claims else Step.NOTING):
                freeze(step, message_id)
            return result

        result = await self.inner.write(stopped)
        if step is Step.NOTED and not claims:
            await stop(step, message_id)
        return result


@dataclass
class StoppingSender:
    """A sender that stops before the call, or behind it."""

    inner: Sender
    plan: Plan

    async def send(self, handover: Handover) -> Accepted:
        step = self.plan.get(handover.message_id)
        if step is Step.CLAIMED:
            await stop(step, handover.message_id)
        accepted = await self.inner.send(handover)
        if step is Step.ANSWERED:
            await stop(step, handover.message_id)
        return accepted


def stopping(courier: Courier, plan: Plan) -> Courier:
    """Put stops into a courier that a server would use."""
    inside = courier._hand_over
    inside._store = StoppingStore(inside._store, plan)  # type: ignore[assignment]
    for name, one in list(courier._senders.items()):
        # It is the same table that the inner part uses. No deadline cuts a stop off.
        courier._senders[name] = replace(one, sender=StoppingSender(one.sender, plan), seconds=600)
    return courier


async def run(data: Path, plan: Plan) -> None:
    from tests.faults.deliveries.outboxes import post_of
    from tests.faults.site import Site

    settings = load_settings(None, os.environ, data)
    async with post_of(Site(data, ""), settings=settings) as post:
        couriers = [stopping(courier, plan) for courier in post.couriers]
        await asyncio.gather(*(keep_delivering(one, 0.05, _show) for one in couriers))


def _show(error: Exception) -> None:
    print("error", type(error).__name__, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(run(Path(sys.argv[1]), {int(key): Step(step) for key, step in json.loads(sys.argv[2]).items()}))
