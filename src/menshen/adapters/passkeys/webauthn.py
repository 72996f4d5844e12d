"""Judge the answers of passkeys with py_webauthn, behind checks of our own. (docs/contracts/factors.md section 6.)

The library compares type, challenge, RP id, flags and signature. It accepts what must be refused here: frames of other
origins, the flag BE that changed, keys of odd parameters. It looks at the counter before the signature, so it is given
0. What it cannot parse is a wrong passkey, by any exception. (docs/security/attacks.md PK-1, PK-3.)
"""

from __future__ import annotations

import asyncio
import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from menshen.adapters.passkeys.library import Library, load_library
from menshen.adapters.passkeys.plain_cbor import is_plain
from menshen.core.factors.options import ALGORITHMS
from menshen.core.factors.passkeys import Asserted, Attested, Passkey, Presented, Site
from menshen.core.strict_json import NotStrictError, read_object

_MOST_CLIENT_DATA: Final = 4096
_MOST_AUTHENTICATOR_DATA: Final = 2048
_MOST_ATTESTATION: Final = 16_384
_MOST_SIGNATURE: Final = 1024
_MOST_HANDLE: Final = 64
_CREDENTIAL_BYTES: Final = range(16, 1024)
"""Bytes of a credential's id. (WebAuthn Level 3 section 4, "credential ID".)"""

_TRANSPORTS: Final = ("usb", "nfc", "ble", "smart-card", "hybrid", "internal")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)

_PRESENT: Final = 0x01
_VERIFIED: Final = 0x04
_ELIGIBLE: Final = 0x08
_BACKED_UP: Final = 0x10
_ATTESTED: Final = 0x40
_FLAGS_AT: Final = 32
"""Where the flags stand in authenticator data, behind the digest of the RP id."""

_HEAD: Final = 37
"""Bytes of the shortest authenticator data."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Hold a credential's JSON, decoded as far as both kinds of answers are alike."""

    credential_id: str
    credential: bytes
    client_data: bytes
    client: Mapping[str, Any]
    challenge: bytes
    response: Mapping[str, Any]


class WebauthnJudge:
    """Implement `menshen.ports.passkeys.PasskeyJudge`."""

    def __init__(self) -> None:
        """Begin without the library."""
        self._library: Library | None = None

    async def get_ready(self) -> None:
        if self._library is None:
            self._library = await asyncio.to_thread(load_library)

    def read(self, credential: Mapping[str, Any]) -> Presented | None:
        answer = _read(credential)
        handle = _handle(answer.response) if answer else None
        return Presented(answer.credential, answer.challenge, handle) if answer and handle is not None else None

    def attest(self, credential: Mapping[str, Any], *, challenge: bytes, site: Site) -> Attested | None:
        answer = _read(credential)
        if answer is None or not _fits(answer, "webauthn.create", challenge, site):
            return None
        attestation = _bytes(answer.response.get("attestationObject"), _MOST_ATTESTATION)
        if not attestation:
            return None
        try:
            made = self._ready.attest(
                answer.credential_id,
                answer.client_data,
                attestation,
                challenge=challenge,
                rp_id=site.rp_id,
                origins=sorted(site.origins),
                algorithms=ALGORITHMS,
            )
        except Exception:  # noqa: BLE001 - the library and its parsers raise anything: it is a wrong passkey
            return None
        if made is None or made.credential != answer.credential or made.backed_up > made.synced:
            return None
        return Attested(
            rp_id=site.rp_id,
            credential=made.credential,
            public_key=made.public_key,
            counter=made.counter,
            synced=made.synced,
            backed_up=made.backed_up,
            verified_user=made.verified_user,
            discoverable=_is_discoverable(credential),
            transports=_transports(answer.response),
        )

    def verify(
        self, credential: Mapping[str, Any], *, challenge: bytes, site: Site, passkey: Passkey, verified_user: bool
    ) -> Asserted | None:
        answer = _read(credential)
        if answer is None or not _fits(answer, "webauthn.get", challenge, site):
            return None
        if answer.credential != passkey.credential or site.rp_id != passkey.rp_id:
            return None
        data = _bytes(answer.response.get("authenticatorData"), _MOST_AUTHENTICATOR_DATA)
        signature = _bytes(answer.response.get("signature"), _MOST_SIGNATURE)
        if not signature or data is None or len(data) < _HEAD or _handle(answer.response) is None:
            return None
        if not is_plain(data, _HEAD):
            return None
        flags = data[_FLAGS_AT]
        synced, backed_up = bool(flags & _ELIGIBLE), bool(flags & _BACKED_UP)
        if not flags & _PRESENT or flags & _ATTESTED or synced is not passkey.synced or backed_up > synced:
            return None
        if verified_user and not flags & _VERIFIED:
            return None
        try:
            self._ready.verify(
                answer.credential_id,
                answer.client_data,
                data,
                signature,
                challenge=challenge,
                rp_id=site.rp_id,
                origins=sorted(site.origins),
                public_key=passkey.public_key,
                verified_user=verified_user,
            )
        except Exception:  # noqa: BLE001 - as above
            return None
        counter = int.from_bytes(data[_FLAGS_AT + 1 : _HEAD])
        return Asserted(counter, synced, backed_up, bool(flags & _VERIFIED))

    @property
    def _ready(self) -> Library:
        if self._library is None:
            # Only a mistake of ours gets here. It must not look like a wrong passkey.
            raise RuntimeError("get_ready was not awaited")
        return self._library


def _read(credential: Mapping[str, Any]) -> _Answer | None:
    """Decode a credential's JSON. None if a field is missing, of another type, too long, or spelt in another way."""
    credential_id, response = credential.get("id"), credential.get("response")
    if credential.get("type") != "public-key" or not isinstance(response, Mapping):
        return None
    raw_id = _bytes(credential.get("rawId"), _CREDENTIAL_BYTES.stop)
    client_data = _bytes(response.get("clientDataJSON"), _MOST_CLIENT_DATA)
    if raw_id is None or credential_id != credential["rawId"] or len(raw_id) not in _CREDENTIAL_BYTES:
        return None
    if not client_data:
        return None
    try:
        client = read_object(client_data)
    except NotStrictError:
        return None
    challenge = _bytes(client.get("challenge"), _MOST_CLIENT_DATA)
    if not challenge:
        return None
    return _Answer(credential["rawId"], raw_id, client_data, client, challenge, response)


def _fits(answer: _Answer, kind: str, challenge: bytes, site: Site) -> bool:
    """Return whether the browser's part is of this ceremony, and of a page that may use passkeys here."""
    client = answer.client
    if client.get("type") != kind or answer.challenge != challenge:
        return False
    origin = client.get("origin")
    if not isinstance(origin, str) or origin not in site.origins:
        return False
    crosses, top = client.get("crossOrigin", False), client.get("topOrigin")
    if crosses is False and "topOrigin" not in client:
        return True
    # Browsers that do not say who embeds the page cannot be judged, so an embedded page needs `topOrigin`.
    return isinstance(crosses, bool) and isinstance(top, str) and top in site.embedders


def _bytes(text: object, most: int) -> bytes | None:
    """Decode base64url without padding, in its only spelling, to at most `most` bytes. None for anything else."""
    if not isinstance(text, str) or len(text) > most * 4 // 3 + 2 or not _BASE64URL.fullmatch(text):
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return raw if urlsafe_b64encode(raw).rstrip(b"=").decode() == text else None


def _handle(response: Mapping[str, Any]) -> bytes | None:
    """Return the user handle, b"" if the answer has none. None if it is no handle."""
    given = response.get("userHandle")
    return b"" if given is None else _bytes(given, _MOST_HANDLE)


def _is_discoverable(credential: Mapping[str, Any]) -> bool:
    """Return false if the browser says that the key keeps no credential. All were asked to keep one."""
    results = credential.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, Mapping) else None
    return not (isinstance(properties, Mapping) and properties.get("rk") is False)


def _transports(response: Mapping[str, Any]) -> str:
    """Return the known transports that the browser names, with spaces between them."""
    given = response.get("transports")
    return " ".join(each for each in _TRANSPORTS if each in given) if isinstance(given, list) else ""
