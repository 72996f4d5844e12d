"""Encrypt secrets that must be read again, with libsodium's XChaCha20-Poly1305 under the installation's keys.

    version (1 byte) | length of the key id (1 byte) | key id | nonce (24 bytes) | ciphertext and tag

The bytes before the ciphertext are authenticated, too. The key of `seal_for` is an HMAC of the shown texts under the
installation's key, so opening needs both. Must not know where keys are stored.
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
        self._keys = {key.key_id.encode(): key for key in keyring.keys}
        self._boxes = {key_id: Aead(key.derive(Use.SEAL)) for key_id, key in self._keys.items()}
        current = keyring.current.key_id.encode()
        self._head = bytes((_VERSION, len(current))) + current
        self._current = self._boxes[current]
        self._current_key = keyring.current

    def seal(self, plain: str) -> bytes:
        return self._head + bytes(self._current.encrypt(plain.encode(), aad=self._head))

    def open(self, sealed: bytes) -> str:
        end, key_id = self._key_id(sealed)
        return _decrypt(self._boxes[key_id], sealed, end)

    def seal_for(self, shown: tuple[str, ...], plain: str) -> bytes:
        box = Aead(self._current_key.mac(Use.SUCCESSOR, *shown))
        return self._head + bytes(box.encrypt(plain.encode(), aad=self._head))

    def open_for(self, shown: tuple[str, ...], sealed: bytes) -> str:
        end, key_id = self._key_id(sealed)
        return _decrypt(Aead(self._keys[key_id].mac(Use.SUCCESSOR, *shown)), sealed, end)

    def _key_id(self, sealed: bytes) -> tuple[int, bytes]:
        """Return where the head of a sealed value ends, and the id of its key, which is known."""
        if len(sealed) < 2 or sealed[0] != _VERSION:
            raise SealBroken("no sealed value")
        end = 2 + sealed[1]
        key_id = sealed[2:end]
        if key_id not in self._keys and self._reread is not None:
            self._take(self._reread())
        if key_id not in self._keys:
            raise SealBroken("made under a key that is not in keys.toml")
        return end, key_id


def _decrypt(box: Aead, sealed: bytes, end: int) -> str:
    try:
        return box.decrypt(sealed[end:], aad=sealed[:end]).decode()
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise SealBroken("altered, or made under another key of that id") from error
