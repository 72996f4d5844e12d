"""Serve /api/batch: several calls in one, each with its own answer. (docs/contracts/careyshop.md section 5.10.)

A method that counts attempts, sends messages or logs in is refused here: one request is one attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from menshen.core.problems import Problem
from menshen.wire.careyshop import methods, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.described.answers import BatchItem
from menshen.wire.careyshop.described.fields import BATCH, reads
from menshen.wire.careyshop.parameters import Value
from menshen.wire.careyshop.problems import Refused, refusal, settled
from menshen.wire.careyshop.public_rules import given

MAX_ITEMS: Final = 20
"""Most items of a batch."""

VERSION: Final = "v1"
# Parameters of the batch itself, which an item cannot replace.
_SHARED: Final = ("appkey", "token", "sign", "timestamp", "format", "callback")


@reads(BATCH, refuses=(texts.BATCH_SHAPE, texts.BATCH_EMPTY, texts.BATCH_TOO_LONG))
async def run(call: Call) -> list[BatchItem] | dict[str, BatchItem]:
    """Run the items and return their answers, in the order and under the names of the items.

    Raises:
        Refused: the batch is missing, empty or too long.
    """
    batch = call.parameters.get("batch")
    if not isinstance(batch, list | dict):
        raise Refused(texts.BATCH_SHAPE)
    if not batch:
        raise Refused(texts.BATCH_EMPTY)
    if len(batch) > MAX_ITEMS:
        raise Refused(texts.BATCH_TOO_LONG)
    # The items run one after the other, because an item may depend on changes of an earlier one.
    if isinstance(batch, dict):
        return {name: await _item(call, item) for name, item in batch.items()}
    return [await _item(call, item) for item in batch]


async def _item(call: Call, item: Value) -> BatchItem:
    fields = item if isinstance(item, Mapping) else {}
    status, message, data = 200, texts.SUCCESS, None
    try:
        data = await _perform(call, fields, item)
    except Problem as problem:
        status, message, data = 500, refusal(problem.denied).text, False
    except Refused as refused:
        call.note(refused.word)
        # As in the recordings, a refusal inside a batch is a 500 with data false.
        status, message, data = 500, refused.text, False
    version, controller, method = (fields[name] if isinstance(fields.get(name), str) else "" for name in _NAMES)
    return {
        "status": status,
        "message": message,
        "version": version,
        "controller": controller,
        "method": method,
        "data": data,
    }


_NAMES: Final = ("version", "controller", "method")


async def _perform(call: Call, fields: Mapping[str, Any], item: Value) -> Any:
    if not isinstance(item, Mapping):
        raise Refused(texts.BATCH_SHAPE)
    for name in _NAMES:
        if not given(fields.get(name)):
            raise Refused(texts.EMPTY.format(name))
    controller = fields["controller"] if isinstance(fields["controller"], str) else ""
    method = methods.find(methods.canonical_controller(controller), fields["method"])
    if fields["version"] != VERSION or method is None or (method.who is methods.Who.ACCOUNT and call.caller is None):
        raise Refused(texts.FORBIDDEN)
    if not method.in_batch:
        raise Refused(texts.BATCH_REFUSED)
    shared = {name: call.parameters.get(name) for name in _SHARED}
    caller = call.caller
    if caller is not None:
        # An earlier item may have ended the session.
        caller = settled(await call.flows.sessions.authenticate(call.token))
    return await method.handler(replace(call, parameters={**fields, **shared}, caller=caller))
