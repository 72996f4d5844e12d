"""The vocabulary of the audit trail."""

from menshen.core.audit.events import Tag
from tools.docs.markdown import code, table
from tools.docs.sources import member_docs


def render() -> str:
    """Give each event with what it says."""
    docs = member_docs(Tag)
    return table(("event", "when"), [(code(tag.value), docs[tag.name]) for tag in Tag])
