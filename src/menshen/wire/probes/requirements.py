"""Read what a service asks for from the path of a token check: `/auth/verify/proved-phone/role-editor`.

It stands in the path, which every proxy sets whole. A query would come from the client where a proxy adds it, and a
word that is misspelt in it would ask for nothing. (docs/contracts/core.md section 3.4, decision 0050.)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from menshen.core.sessions.outcomes import Requirement

VERIFY: Final = "/auth/verify"
"""The path of a token check that asks for nothing more."""

MOST: Final = 8
"""The most words behind the path."""
PROOFS: Final = frozenset({"proved-phone", "proved-email"})
"""The words that ask for a phone or an email that a code proved."""
LEVEL: Final = "level-2"
"""The word that asks for a session of two proofs."""
ROLE: Final = "role-([A-Za-z0-9_.-]{1,64})"
"""The form of a word that asks for a role."""

_ROLE: Final = re.compile(ROLE, re.ASCII)


@lru_cache(maxsize=64)
def requirement_of(path: str) -> Requirement | None:
    """Return what a path behind `VERIFY` asks for. None: it is no such path, has a word that is none, or too many."""
    if not path.startswith(VERIFY + "/"):
        return None
    words = path.removeprefix(VERIFY + "/").split("/")
    if len(words) > MOST:
        return None
    proofs, roles, level = set[str](), set[str](), 1
    for word in words:
        if word in PROOFS:
            proofs.add(word)
        elif word == LEVEL:
            level = 2
        elif named := _ROLE.fullmatch(word):
            roles.add(named[1])
        else:
            return None
    return Requirement("proved-phone" in proofs, "proved-email" in proofs, frozenset(roles), level)
