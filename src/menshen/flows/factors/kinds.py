"""Hold the kinds of factors that are plug-ins, each imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Collection

from menshen.ports.factors import SecondFactor


class FactorKinds:
    """Find the plug-in of a kind. `names` are all kinds that there are."""

    def __init__(self, names: Collection[str], load: Callable[[str], SecondFactor]) -> None:
        """Take the names, and what imports and builds one of them."""
        self.names = frozenset(names)
        self._load = load
        self._loaded: dict[str, SecondFactor] = {}

    def find(self, kind: str) -> SecondFactor | None:
        """Return the plug-in of a kind, None if there is none of that name."""
        if kind not in self.names:
            return None
        if kind not in self._loaded:
            self._loaded[kind] = self._load(kind)
        return self._loaded[kind]
