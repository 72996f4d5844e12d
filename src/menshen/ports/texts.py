"""Say in words what a message tells a person."""

from __future__ import annotations

from typing import Protocol

from menshen.core.delivery.messages import Message
from menshen.core.delivery.wording import Rendered


class Texts(Protocol):
    """Hold the texts of messages, by app and language."""

    def render(self, message: Message) -> Rendered:
        """Return the subject and the text of a message, by its app and its language.

        It never raises: an app without texts of its own has those of all apps, an unknown language is answered in
        Chinese.
        """
        ...
