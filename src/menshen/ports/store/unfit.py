"""Report a database that waiting does not make usable."""

from __future__ import annotations

from menshen.core.problems import Problem, ProblemCode


class UnfitError(Problem):
    """Report in one sentence what an operator has to change before the database can be used.

    A start ends with it. A server that runs already answers it as UNAVAILABLE. The sentence holds no secret.
    """

    def __init__(self, sentence: str) -> None:
        """Take the sentence, without a capital letter and a full stop."""
        super().__init__(ProblemCode.UNAVAILABLE, sentence, 1)
