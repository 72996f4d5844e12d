"""Encrypt secrets that must be read again, with libsodium's XChaCha20-Poly1305 under the installation's keys.

    version (1 byte) | length of the key id (1 byte) | key id | nonce (24 bytes) | ciphertext and tag

The bytes before the ciphertext are authenticated, too. Must not know where keys are stored.
(ports.sealing, docs/security/attacks.md LG-3.)
"""

from __future__ import annotations

from collections.abc import Callable

import nacl.exceptions
from nacl.secret import Aead

from menshen.core.keys import Keyring, Use
from menshen.ports.sealing import SealBroken

_VERSION = 1


class KeyringSealer:
    """Implement `menshen.ports.sealing.Sealer`."""

    def __init__(self, keyring: Keyring, reread: Callable[[], Keyring] | None = None) -> None:
        """Take the keys. `reread` returns the present keys, when a value names a key that was added after the start."""
        self._reread = reread
        self._take(keyring)

    def _take(self, keyring: Keyring) -> None:
        self._boxes = {key.key_id.encode(): Aead(key.derive(Use.SEAL)) for key in keyring.keys}
        current = keyring.current.key_id.encode()
        self._head = bytes((_VERSION, len(current))) + current
        self._current = self._boxes[current]

    def seal(self, plain: str) -> bytes:
        return self._head + bytes(self._current.encrypt(plain.encode(), aad=self._head))

    def open(self, sealed: bytes) -> str:
        if len(sealed) < 2 or sealed[0] != _VERSION:
            raise SealBroken("no sealed value")
        end = 2 + sealed[1]
        box = self._box(sealed[2:end])
        try:
            return box.decrypt(sealed[end:], aad=sealed[:end]).decode()
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise SealBroken("altered, or made under another key of that id") from error

    def _box(self, key_id: bytes) -> Aead:
        if key_id not in self._boxes and self._reread is not None:
            self._take(self._reread())
        try:
            return self._boxes[key_id]
        except KeyError:
            raise SealBroken("made under a key that is not in keys.toml") from None
