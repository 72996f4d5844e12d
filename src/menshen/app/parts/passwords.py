"""Make the hasher and the blocklist of the settings, for the server and for commands that set passwords."""

from __future__ import annotations

from menshen.adapters.blocklist import CommonPasswords, NoBlocklist
from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.app.settings.reader import Settings
from menshen.core.login.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.ports.world import World


def hasher_of(settings: Settings, world: World, *, threads: int) -> Argon2idHasher:
    """Return a hasher of the settings' parameters; `threads` 0 takes one thread for each core."""
    return Argon2idHasher(
        Parameters(settings.hash.memory_kib, settings.hash.passes),
        threads=threads,
        queue=settings.hash.queue,
        niceness=settings.hash.niceness,
        elapsed_ms=world.elapsed_ms,
        worked_ms=world.worked_ms,
    )


def blocklist_of(policy: Policy) -> Blocklist:
    """Return the passwords that are refused as too common; none where the policy is off."""
    return CommonPasswords() if policy.password_blocklist else NoBlocklist()
