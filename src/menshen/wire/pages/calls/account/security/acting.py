"""Judge what an act on an account's security came to: a proof is due, a refusal is shown, or it is done."""

from __future__ import annotations

from typing import TypeVar

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.pages.answers import ProofNeeded

T = TypeVar("T")


def refusal_of(outcome: T | Denied) -> Denied | None:
    """Return the refusal that the page shows, None for success.

    Raises:
        ProofNeeded: the person must prove identity first.
    """
    if not isinstance(outcome, Denied):
        return None
    if outcome.code is ProblemCode.PROOF_REQUIRED:
        raise ProofNeeded
    return outcome
