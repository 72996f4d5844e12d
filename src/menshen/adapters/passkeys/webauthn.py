"""Judge the answers of passkeys with py_webauthn, behind checks of our own. (docs/contracts/factors.md section 6.)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from menshen.core.factors.passkeys import Asserted, Attested, Passkey, Presented, Site


class WebauthnJudge:
    """Implement `menshen.ports.passkeys.PasskeyJudge`."""

    async def get_ready(self) -> None:
        raise NotImplementedError

    def read(self, credential: Mapping[str, Any]) -> Presented | None:
        raise NotImplementedError

    def attest(self, credential: Mapping[str, Any], *, challenge: bytes, site: Site) -> Attested | None:
        raise NotImplementedError

    def verify(
        self, credential: Mapping[str, Any], *, challenge: bytes, site: Site, passkey: Passkey, verified_user: bool
    ) -> Asserted | None:
        raise NotImplementedError
