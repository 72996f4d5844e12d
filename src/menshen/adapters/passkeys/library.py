"""Call py_webauthn. Only `load_library` imports it, with cryptography and cbor2: that takes longer than a start may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from menshen.adapters.passkeys.plain_cbor import is_plain

_ES256: Final = -7
_RS256: Final = -257
_EDDSA: Final = -8
_ID_AT: Final = 55
"""Where the credential's id stands in authenticator data, behind the head, the AAGUID and its length."""

_RSA_BITS: Final = range(2048, 4097)
_RSA_EXPONENTS: Final = range(3, 2**32)
"""A larger exponent would let a registered key cost seconds at each login."""


@dataclass(frozen=True, slots=True)
class Made:
    """Hold what the library read from a registration."""

    credential: bytes
    public_key: bytes = field(repr=False)
    counter: int
    synced: bool
    backed_up: bool
    verified_user: bool


@dataclass(frozen=True, slots=True)
class Library:
    """Hold the functions of the library. Each raises if anything is wrong, and not only exceptions of its own."""

    verify_registration: Callable[..., Any]
    verify_authentication: Callable[..., Any]
    parse_cbor: Callable[[bytes], Any]
    encode_cbor: Callable[[Any], bytes]
    load_key: Callable[[bytes], Any]
    registration: Callable[[str, bytes, bytes], Any]
    assertion: Callable[[str, bytes, bytes, bytes], Any]
    algorithm: Callable[[int], Any]
    is_synced: Callable[[Any], bool]

    def attest(
        self,
        credential_id: str,
        client_data: bytes,
        attestation: bytes,
        *,
        challenge: bytes,
        rp_id: str,
        origins: Sequence[str],
        algorithms: Sequence[int],
    ) -> Made | None:
        """Verify a registration. The attestation statement is not looked at: no maker of keys is trusted or refused.

        None for a key whose parameters do not fit its algorithm, and for data that it would cost much to read.
        """
        if not is_plain(attestation, 0, shortest=False):
            return None
        data = self.parse_cbor(attestation)["authData"]
        if type(data) is not bytes or not is_plain(data, _behind_id(data)):
            return None
        plain = self.encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        made = self.verify_registration(
            credential=self.registration(credential_id, client_data, plain),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            require_user_presence=True,
            supported_pub_key_algs=[self.algorithm(each) for each in algorithms],
        )
        key = self.parse_cbor(made.credential_public_key)
        if not _is_sound(key, self.load_key(made.credential_public_key)):
            return None
        return Made(
            credential=made.credential_id,
            public_key=made.credential_public_key,
            counter=made.sign_count,
            synced=self.is_synced(made.credential_device_type),
            backed_up=made.credential_backed_up,
            verified_user=made.user_verified,
        )

    def verify(
        self,
        credential_id: str,
        client_data: bytes,
        authenticator_data: bytes,
        signature: bytes,
        *,
        challenge: bytes,
        rp_id: str,
        origins: Sequence[str],
        public_key: bytes,
        verified_user: bool,
    ) -> None:
        """Verify a signature, with the flags before it. The counter is not compared."""
        self.verify_authentication(
            credential=self.assertion(credential_id, client_data, authenticator_data, signature),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=verified_user,
        )


def load_library() -> Library:
    """Import the library. It takes some 400 ms of processor time, so a thread does it."""
    from webauthn import verify_authentication_response, verify_registration_response
    from webauthn.helpers import (
        base64url_to_bytes,
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
        encode_cbor,
        parse_cbor,
    )
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.structs import (
        AuthenticationCredential,
        AuthenticatorAssertionResponse,
        AuthenticatorAttestationResponse,
        CredentialDeviceType,
        RegistrationCredential,
    )

    def registration(credential_id: str, client_data: bytes, attestation: bytes) -> Any:
        response = AuthenticatorAttestationResponse(client_data_json=client_data, attestation_object=attestation)
        return RegistrationCredential(credential_id, base64url_to_bytes(credential_id), response)

    def assertion(credential_id: str, client_data: bytes, authenticator_data: bytes, signature: bytes) -> Any:
        response = AuthenticatorAssertionResponse(
            client_data_json=client_data, authenticator_data=authenticator_data, signature=signature
        )
        return AuthenticationCredential(credential_id, base64url_to_bytes(credential_id), response)

    return Library(
        verify_registration=verify_registration_response,
        verify_authentication=verify_authentication_response,
        parse_cbor=parse_cbor,
        encode_cbor=encode_cbor,
        load_key=lambda key: decoded_public_key_to_cryptography(decode_credential_public_key(key)),
        registration=registration,
        assertion=assertion,
        algorithm=COSEAlgorithmIdentifier,
        is_synced=lambda kind: kind is CredentialDeviceType.MULTI_DEVICE,
    )


def _behind_id(data: bytes) -> int:
    """Return where the key stands in authenticator data: behind the credential's id."""
    return _ID_AT + int.from_bytes(data[_ID_AT - 2 : _ID_AT])


def _is_sound(key: Any, loaded: Any) -> bool:
    """Return whether a key is one of its algorithm, on the curve and of the size that WebAuthn names.

    `key` is its COSE map, and `loaded` the key that cryptography made of it.
    """
    kind, number, curve = key[1], key[3], key.get(-1)
    if any(type(value) is not int for value in (kind, number)):
        return False
    if number == _ES256:
        return bool(type(curve) is int and (kind, curve) == (2, 1) and loaded.key_size == 256)
    if number == _EDDSA:
        return type(curve) is int and (kind, curve) == (1, 6)
    exponent: int = loaded.public_numbers().e
    return kind == 3 and number == _RS256 and loaded.key_size in _RSA_BITS and exponent in _RSA_EXPONENTS
