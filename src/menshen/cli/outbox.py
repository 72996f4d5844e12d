"""Provide `menshen outbox`: list messages. Codes are shown as long as no other sender than the outbox gets them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from menshen.app.installation.opening import Installation
from menshen.app.settings.reader import Settings
from menshen.cli.opening import RefusedError, common_options, with_installation
from menshen.cli.showing import instant, show_table
from menshen.core.delivery.messages import Channel, MessageState, StoredMessage
from menshen.core.delivery.senders import choose
from menshen.core.delivery.wording import Rendered
from menshen.core.identifiers import parse_email, parse_phone
from menshen.core.text.hidden import MASK
from menshen.ports.texts import Texts

OUTBOX: Final = "outbox"
"""The type of a sender that leaves messages to the readers of the outbox."""

_COLUMNS: Final = (
    "id", "created", "state", "to", "template", "code", "sender", "tries", "verdict", "receipt", "outcome",
)  # fmt: skip


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

    async def work(here: Installation) -> list[dict[str, Any]]:
        found = await here.store.read.outbox.list_all(limit=1000)
        texts, senders = texts_of(here.settings), _Senders(here.settings)
        picked = [stored for stored in found if wanted is None or stored.message.to == wanted][-limit:]
        return [_shown(stored, texts, hides=senders.hide(stored)) for stored in picked]

    rows = with_installation(data, config, work)
    if not as_json:
        rows = [{name: row[name] for name in _COLUMNS} for row in rows]
    show_table(rows, as_json=as_json, nothing="no messages")


def _shown(stored: StoredMessage, texts: Texts, *, hides: bool) -> dict[str, Any]:
    message = replace(stored.message, code=MASK) if hides and stored.message.code else stored.message
    # A row that no key opens has no values.
    words = texts.render(message) if stored.readable else Rendered("", "")
    return {
        "id": stored.message_id,
        "created": instant(message.created_at),
        "sent": instant(stored.sent_at),
        "state": stored.state.value,
        "failures": stored.failures,
        "tries": stored.failures + (stored.state in {MessageState.SENT, MessageState.SENDING}),
        "channel": message.channel.value,
        "sender": stored.sender,
        "verdict": stored.verdict,
        "receipt": stored.receipt,
        "outcome": stored.outcome,
        "to": message.to,
        "template": message.template.value,
        "code": message.code,
        "app": message.app,
        "subject": words.subject,
        "text": words.text,
    }


class _Senders:
    """Tell whose messages are read here, and whose by the receivers alone."""

    def __init__(self, settings: Settings) -> None:
        """Look at the senders of the settings."""
        from menshen.app.settings.senders import terms_of

        chosen = {Channel.SMS: settings.sms.chosen, Channel.EMAIL: (settings.email.sender,)}
        self._terms = {channel: [terms_of(one) for one in senders] for channel, senders in chosen.items()}
        self._read_here = {
            channel: {one.name for one in senders if one.type == OUTBOX} for channel, senders in chosen.items()
        }

    def hide(self, stored: StoredMessage) -> bool:
        """Tell whether another sender than the outbox has the message, or could still get it.

        A sender that the settings do not name any more is another one. So is that of a message that none serves.
        """
        message = stored.message
        takers = {stored.sender} if stored.sender else set[str]()
        if not takers or stored.state in {MessageState.WAITING, MessageState.FAILED}:
            serving = choose(self._terms[message.channel], message.to, message.template, broken=(), draw="")
            takers |= {terms.name for terms in serving}
        return not takers or not takers <= self._read_here[message.channel]
