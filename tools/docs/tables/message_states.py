"""What became of a message, as `menshen outbox` shows it."""

from __future__ import annotations

from menshen.core.delivery.messages import MessageState
from tools.docs.markdown import code, table
from tools.docs.sources import member_docs


def render() -> str:
    """Give a row for each state."""
    docs = member_docs(MessageState)
    return table(("`state`", "meaning"), [(code(one.value), docs[one.name]) for one in MessageState])
