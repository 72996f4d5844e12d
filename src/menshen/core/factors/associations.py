"""Define what this server says of other sites and apps that may use its passkeys.

(docs/contracts/factors.md section 6.)
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

PREFIX: Final = "/.well-known/"
"""The paths of all statements begin with it. (RFC 8615.)"""


@dataclass(frozen=True, slots=True)
class Associations:
    """Hold what the settings say. Each that is empty has no address.

    `related` are origins of other sites that may use the passkeys of this RP id. `enroll` and `manage` are addresses of
    pages about passkeys. `android` maps names of packages to the SHA-256 fingerprints of their certificates, and `ios`
    are ids of apps with the team before them.
    """

    related: tuple[str, ...] = ()
    enroll: str = ""
    manage: str = ""
    android: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    ios: tuple[str, ...] = ()

    def paths(self) -> tuple[str, ...]:
        """Return the paths that are answered."""
        answered = {
            "webauthn": self.related,
            "passkey-endpoints": self.enroll or self.manage,
            "assetlinks.json": self.android,
            "apple-app-site-association": self.ios,
        }
        return tuple(PREFIX + name for name, said in answered.items() if said)


def app_origin(fingerprint: str) -> str:
    """Return the origin that an Android app names in a ceremony, by the fingerprint of its certificate ("AB:CD:…")."""
    digest = bytes.fromhex(fingerprint.replace(":", ""))
    return f"android:apk-key-hash:{urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"
