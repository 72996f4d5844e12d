"""Ids that apply and have no test of their own here yet.

Many are tried elsewhere by what they mean (tests/dialects, tests/contracts, tests/http, tests/hashing), but not
under their names. The suite holds this list to the truth: an id that gets a test must leave it.
"""

UNTRIED = frozenset(
    {
        *(f"RS-{n}" for n in (8, 9)),
    }
)
