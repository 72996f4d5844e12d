"""Make the second factors: plug-ins by name, and the judge of passkeys. Nothing is imported before its first use."""

from __future__ import annotations

from typing import Final, cast

from menshen.adapters.passkeys.webauthn import WebauthnJudge
from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.flows.proofs.kinds import FactorKinds
from menshen.ports.factors import SecondFactor
from menshen.ports.passkeys import PasskeyJudge

_SPECIMEN: Final = "specimen"


def factor_kinds() -> FactorKinds:
    """Return the kinds of the package, without the specimen."""
    package = PACKAGES["factors"]

    def load(kind: str) -> SecondFactor:
        plugin = load_plugin(package, kind)
        return cast("SecondFactor", plugin.build(plugin.Settings(), None))

    return FactorKinds([name for name in names_in(package) if name != _SPECIMEN], load)


def passkey_judge() -> PasskeyJudge:
    """Return the judge of passkeys. Its library is imported by `get_ready`."""
    return WebauthnJudge()
