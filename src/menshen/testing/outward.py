"""Replace the services outside in tests: record each request, and return the scripted outcomes."""

from __future__ import annotations

from menshen.ports.outward import Answer, Outcome, Request


class FakeOutward:
    """Play `menshen.ports.outward.Outward` without a network."""

    def __init__(self, *outcomes: Outcome) -> None:
        """Give `outcomes` in turn and then repeat the last one; without any, answer 200 and nothing."""
        self._outcomes = [*outcomes] or [Answer(200)]
        self.requests: list[Request] = []

    async def exchange(self, request: Request) -> Outcome:
        self.requests.append(request)
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
