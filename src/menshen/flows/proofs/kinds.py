"""Hold the kinds of factors that are plug-ins, each imported when it is first used, and what their proofs are worth."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from menshen.core.factors.proofs import Method, Proof
from menshen.core.sessions.sessions import Session
from menshen.ports.factors import SecondFactor

_METHODS: Final = {method.value: method for method in Method}
_TRAITS: Final = dict.fromkeys(("pin", "fpt", "face"), Method.USER)
"""How a device may verify its user: a session does not tell these apart."""


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


def proof_of(factor: SecondFactor) -> Proof:
    """Return what a right proof of a plug-in's factor is."""
    known = _METHODS | _TRAITS
    return Proof(tuple(dict.fromkeys(known[word] for word in factor.methods if word in known)))


def proof_in(session: Session) -> Proof:
    """Return what was proved in a session so far. Words of another release are left out."""
    words = session.methods.split()
    return Proof(tuple(_METHODS[word] for word in words if word in _METHODS), session.level)
