"""What the answer of a vendor means for a message, each verdict with the sentence below it."""

from __future__ import annotations

from menshen.core.delivery.verdicts import Verdict
from tools.docs.markdown import code, table
from tools.docs.sources import member_docs


def render() -> str:
    """Give a row for each verdict."""
    docs = member_docs(Verdict)
    return table(("verdict", "meaning, and what follows"), [(code(one.value), docs[one.name]) for one in Verdict])
