"""The keys that the tables of all senders of text messages share."""

from __future__ import annotations

from menshen.app.settings.sections.sms import SenderKeys
from tools.docs.markdown import code, table
from tools.docs.settings import settings_of


def render() -> str:
    """Give a row for each key."""
    return table(
        ("key", "default", "meaning"),
        [(code(one.key), code(one.default), one.description) for one in settings_of("sms.senders", SenderKeys)],
    )
