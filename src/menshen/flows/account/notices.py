"""Notify the owner of an account about a change."""

from __future__ import annotations

from collections.abc import Iterable

from menshen.core.delivery.messages import Message, Template, channel_to
from menshen.core.time import Instant
from menshen.ports.store.store import WriteTx


async def notify(
    tx: WriteTx,
    subjects: Iterable[str],
    template: Template,
    language: str,
    now: Instant,
    *,
    app: str = "",
    detail: str = "",
) -> None:
    """Queue a notice to each canonical phone or email, in the transaction of the change.

    `language` is "zh" or "en". `app` is the name of the app that the change was made at. `detail` is a masked
    identifier, or "" if the template has none.
    """
    for subject in subjects:
        await tx.outbox.put(Message(channel_to(subject), subject, template, language, now, detail=detail, app=app))
