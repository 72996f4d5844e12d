"""Define `[email]`: the sender of email."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.app.settings.chosen import Chosen, chooses, outbox_of


class Email(Struct, frozen=True, kw_only=True):
    """Choose the sender of email."""

    sender: Annotated[
        Chosen,
        Meta(
            description="The type of the sender. Its own keys stand beside it as `<type>_<key>`.",
            extra=chooses("email"),
        ),
    ] = outbox_of("email")
