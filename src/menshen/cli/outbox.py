"""Provide `menshen outbox`: list messages. Codes are found there until a sender is set."""

from __future__ import annotations

from typing import Annotated

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, with_installation
from menshen.cli.showing import instant, show_table
from menshen.core.codes.messages import StoredMessage
from menshen.core.identifiers import parse_email, parse_phone


def outbox(
    *,
    to: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only messages to this phone or email.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number; the newest are kept.")] = 100,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the messages of the last days, newest last."""
    from menshen.texts.reader import text_of

    wanted = (parse_phone(to) or parse_email(to)) if to is not None else None
    if to is not None and wanted is None:
        raise RefusedError(f"{to} is no phone number and no email")

    async def work(here: Installation) -> list[StoredMessage]:
        found = await here.store.read.outbox.list_all(limit=1000)
        return [stored for stored in found if wanted is None or stored.message.to == wanted][-limit:]

    rows = [
        {
            "id": stored.message_id,
            "created": instant(stored.message.created_at),
            "sent": instant(stored.sent_at),
            "failures": stored.failures,
            "channel": stored.message.channel.value,
            "to": stored.message.to,
            "template": stored.message.template.value,
            "code": stored.message.code,
            "text": text_of(stored.message.text_id, stored.message.language, **stored.message.values),
        }
        for stored in with_installation(data, config, work)
    ]
    if not as_json:
        rows = [{name: row[name] for name in ("created", "to", "template", "code")} for row in rows]
    show_table(rows, as_json=as_json, nothing="no messages")
