"""Define `[hash]` and `[password]`: the cost of a guess at a password, and which passwords are refused."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from menshen.core.policy import Policy

_DEFAULT: Final = Policy()


class Hash(Struct, frozen=True, kw_only=True):
    """Set the cost of argon2id."""

    memory_kib: Annotated[
        int,
        Meta(
            ge=8,
            le=256 * 1024,
            description="Memory of one argon2id hash, in KiB. Less than 19456 KiB and 2 passes is refused.",
        ),
    ] = 19456
    passes: Annotated[int, Meta(ge=1, le=99, description="Passes over that memory.")] = 2
    threads: Annotated[int, Meta(ge=0, le=256, description="Threads that hash; 0 takes one for each core.")] = 0
    queue: Annotated[
        int, Meta(ge=1, le=10_000, description="Maximum number of waiting logins. Further ones get 503.")
    ] = 64
    niceness: Annotated[
        int,
        Meta(
            ge=0,
            le=19,
            description="Niceness of the threads that hash, on Linux. 0 gives a login its fair share beside other "
            "programs. 10 lets token checks go first, on a machine that runs Menshen alone.",
        ),
    ] = 0
    testing: Annotated[bool, Meta(description="For tests only: allows an unsafe low cost, on loopback.")] = False


class Password(Struct, frozen=True, kw_only=True):
    """Say what new passwords may not be, besides too short."""

    blocklist: Annotated[bool, Meta(description="Refuses the most common passwords.")] = _DEFAULT.password_blocklist
    product_words: Annotated[
        tuple[str, ...], Meta(description="Words of your products and company that passwords must not be based on.")
    ] = _DEFAULT.product_words
