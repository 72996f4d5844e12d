"""Make tries to hand over a message, as the flow of deliveries makes them."""

from __future__ import annotations

from menshen.core.delivery.messages import Message
from menshen.core.delivery.wording import render
from menshen.core.time import Instant
from menshen.ports.delivery import Handover
from menshen.texts.reader import language_of, texts_in

NONCE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def handover_of(message: Message, *, message_id: int = 42, nonce: str = NONCE, now: Instant | None = None) -> Handover:
    """Return a try of `message` with the built-in texts. Without `now` (epoch ms) it is the time of the message."""
    words = render(texts_in(language_of(message.language)), message)
    at = message.created_at if now is None else now
    return Handover(message, message_id, nonce, at, words.text, words.subject)
