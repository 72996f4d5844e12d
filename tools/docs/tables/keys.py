"""The uses of the installation's keys."""

from menshen.core.keys import Use
from tools.docs.markdown import code, table
from tools.docs.sources import member_docs


def render() -> str:
    """Give each use with what its key makes and what it must not do."""
    docs = member_docs(Use)
    return table(("key", "algorithm, and what it protects"), [(code(use.value), docs[use.name]) for use in Use])
