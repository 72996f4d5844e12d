"""Provide `menshen outbox`: list messages. Codes are found there until a sender is set."""

from __future__ import annotations

from pathlib import Path

import click

from menshen.app.installation.opening import Installation
from menshen.cli.opening import RefusedError, common_options, with_installation
from menshen.cli.showing import instant, show_table
from menshen.core.delivery.messages import StoredMessage
from menshen.core.delivery.wording import Rendered
from menshen.core.identifiers import parse_email, parse_phone


@click.command()
@click.option("--to", metavar="NUMBER", help="Only messages to this phone or email.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=100,
    help="Maximum number; the newest are kept.",
)
@common_options
def outbox(
    *,
    to: str | None,
    limit: int,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """List the messages of the last days, newest last."""
    from menshen.app.settings.texts import texts_of

    wanted = (parse_phone(to) or parse_email(to)) if to is not None else None
    if to is not None and wanted is None:
        raise RefusedError(f"{to} is no phone number and no email")

    async def work(here: Installation) -> list[tuple[StoredMessage, Rendered]]:
        found = await here.store.read.outbox.list_all(limit=1000)
        picked = [stored for stored in found if wanted is None or stored.message.to == wanted][-limit:]
        texts = texts_of(here.settings)
        # A row that no key opens has no values.
        return [(one, texts.render(one.message) if one.readable else Rendered("", "")) for one in picked]

    rows = [
        {
            "id": stored.message_id,
            "created": instant(stored.message.created_at),
            "sent": instant(stored.sent_at),
            "state": stored.state.value,
            "failures": stored.failures,
            "channel": stored.message.channel.value,
            "to": stored.message.to,
            "template": stored.message.template.value,
            "code": stored.message.code,
            "app": stored.message.app,
            "subject": words.subject,
            "text": words.text,
        }
        for stored, words in with_installation(data, config, work)
    ]
    if not as_json:
        rows = [{name: row[name] for name in ("created", "state", "to", "template", "code")} for row in rows]
    show_table(rows, as_json=as_json, nothing="no messages")
