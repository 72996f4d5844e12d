"""Define the requests about second factors and second steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from menshen.core.gates.captcha import Presented


@dataclass(frozen=True, slots=True)
class FactorProof:
    """Prove something again. `factor` is a member of `Factor`, or the name of a plug-in.

    `code` is what a person typed. `credential` is the JSON answer of a passkey, and nothing else reads it.
    """

    factor: str
    code: str = field(default="", repr=False)
    credential: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SecondStep:
    """Complete a pending login. With `trust_device`, the device needs no step at its next logins with a password."""

    ticket: str = field(repr=False)
    proof: FactorProof
    trust_device: bool = False


@dataclass(frozen=True, slots=True)
class PasskeyLogin:
    """Log in with a passkey. `platform` as in `PasswordLogin`."""

    credential: Mapping[str, Any] = field(repr=False)
    platform: str = ""
    captcha: Presented | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Confirm a factor of a plug-in by its first proof. `kind` is the name of the plug-in."""

    kind: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """Register a passkey. `name` is what its owner calls it, "" for one that the server makes."""

    credential: Mapping[str, Any] = field(repr=False)
    name: str = ""


BY_PASSWORD: Final = "password"
BY_CODE: Final = "code"
"""The methods of `IdentityProof` beside the factors."""


@dataclass(frozen=True, slots=True)
class IdentityProof:
    """Prove identity again in a session. `method` is "password", "code" or a factor.

    `secret` is the password, or a code of purpose PROOF. With a factor, `proof` holds its proof.
    """

    method: str
    secret: str = field(default="", repr=False)
    proof: FactorProof | None = None


@dataclass(frozen=True, slots=True)
class StepSwitch:
    """Turn the second step on or off. Turning it on takes a recovery code, which the owner types back.

    `confirmed`: the owner says that the codes are kept, in place of typing one.
    """

    on: bool
    recovery_code: str = field(default="", repr=False)
    confirmed: bool = False
