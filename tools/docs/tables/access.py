"""The words that say who may call an endpoint."""

from menshen.wire.dialect import Access
from tools.docs.markdown import code, table
from tools.docs.sources import member_docs


def render() -> str:
    """Give each word with its meaning."""
    docs = member_docs(Access)
    return table(("access", "who may call"), [(code(access.value), docs[access.name]) for access in Access])
