"""A passkey in software, on cryptography and cbor2: every flag can be set, and every field can be wrong.

It answers options as a browser does, in the JSON of WebAuthn Level 3. It is a test's device, and keeps no secret well.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ORIGIN = "https://login.example"


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftKey:
    """One credential. `flags` and `counter` are those of its next answer; keyword arguments change one answer alone."""

    alg: int = -8
    flags: int = UP | UV
    counter: int = 0
    origin: str = ORIGIN
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    handle: bytes = b""
    rk: bool | None = True
    fmt: str = "none"
    statement: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    public: dict[int, Any] | None = None

    def __post_init__(self) -> None:
        if self.alg == -8:
            self.key = self.key or ed25519.Ed25519PrivateKey.generate()
            made = {1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes_raw()}
        elif self.alg == -7:
            self.key = self.key or ec.generate_private_key(ec.SECP256R1())
            at = self.key.public_key().public_numbers()
            made = {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32), -3: at.y.to_bytes(32)}
        else:
            self.key = self.key or rsa.generate_private_key(65537, 2048)
            n = self.key.public_key().public_numbers().n
            made = {1: 3, 3: -257, -1: n.to_bytes((n.bit_length() + 7) // 8), -2: b"\1\0\1"}
        self.public = made if self.public is None else self.public

    def create(self, options: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Register: the answer to creation options."""
        self.handle = self.handle or unb64(options["user"]["id"])
        client = self._client("webauthn.create", options["challenge"], changes)
        public = cbor2.dumps(changes.pop("public", self.public))
        named = changes.pop("attested", self.credential)
        more = bytes(16) + struct.pack(">H", len(named)) + named + public
        flags = changes.pop("flags", self.flags | AT)
        data = self._data(changes.pop("rp", options["rp"]["id"]), flags, more if flags & AT else b"", changes)
        attestation = {"fmt": self.fmt, "attStmt": self.statement, "authData": data}
        response = {"clientDataJSON": b64(client), "attestationObject": b64(cbor2.dumps(attestation))}
        response["transports"] = ["internal", "hybrid"]  # type: ignore[assignment]
        results = {} if self.rk is None else {"credProps": {"rk": self.rk}}
        return self._credential(response, results, changes)

    def get(self, options: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Sign: the answer to request options."""
        client = self._client("webauthn.get", options["challenge"], changes)
        data = self._data(
            changes.pop("rp", options["rpId"]), changes.pop("flags", self.flags), changes.pop("more", b""), changes
        )
        signature = changes.pop("signature", None) or self.sign(data + hashlib.sha256(client).digest())
        handle = changes.pop("handle", self.handle)
        response = {"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}
        response |= {"userHandle": b64(handle)} if handle else {}
        return self._credential(response, {}, changes)

    def sign(self, message: bytes) -> bytes:
        signed: bytes
        if self.alg == -8:
            signed = self.key.sign(message)
        elif self.alg == -7:
            signed = self.key.sign(message, ec.ECDSA(SHA256()))
        else:
            signed = self.key.sign(message, padding.PKCS1v15(), SHA256())
        return signed

    def _client(self, kind: str, challenge: str, changes: dict[str, Any]) -> bytes:
        client = {"type": changes.pop("type", kind), "challenge": changes.pop("challenge", challenge)}
        client |= {"origin": changes.pop("origin", self.origin), "crossOrigin": changes.pop("crossOrigin", False)}
        client |= {"topOrigin": changes.pop("topOrigin")} if "topOrigin" in changes else {}
        return json.dumps(client | changes.pop("client", {})).encode()

    def _data(self, rp: str, flags: int, more: bytes, changes: dict[str, Any]) -> bytes:
        return hashlib.sha256(rp.encode()).digest() + struct.pack(
            ">BI", flags, changes.pop("counter", self.counter)
        ) + more  # fmt: skip

    def _credential(self, response: dict[str, Any], results: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        named = b64(self.credential)
        made = {"id": named, "rawId": named, "type": "public-key", "response": response | changes.pop("response", {})}
        return made | {"clientExtensionResults": results, "authenticatorAttachment": "platform"} | changes
