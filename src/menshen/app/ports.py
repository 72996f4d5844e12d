"""List the ports of a running installation: everything that a use case may name in its signature."""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.flows.background.clock import ClockWatch
from menshen.flows.gates.captcha_vendors import CaptchaVendors
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.proofs.judging import Judges
from menshen.flows.proofs.kinds import FactorKinds
from menshen.flows.sessions.check import Touches
from menshen.ports.captcha import CaptchaProvider, ImageArtist
from menshen.ports.hashing import PasswordHasher
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.sealing import Sealer
from menshen.ports.store.apps import AppMemory
from menshen.ports.store.sessions import TokenMemory
from menshen.ports.store.store import Store
from menshen.ports.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Hold the ports. A flow gets the field that has the name of its keyword-only parameter, and the same type."""

    store: Store
    memory: TokenMemory
    app_memory: AppMemory
    hasher: PasswordHasher
    world: World
    keyring: Keyring
    sealer: Sealer
    policy: Policy
    touches: Touches
    clocks: ClockWatch
    attempt_gate: AttemptGate
    blocklist: Blocklist
    captcha: CaptchaProvider
    captcha_vendors: CaptchaVendors
    artist: ImageArtist
    factor_kinds: FactorKinds
    passkey_judge: PasskeyJudge
    judges: Judges
