"""Prove identity again in a session: POST /users/prove, /users/prove/options.

Changes that ask for a proof are then allowed for 10 minutes. (docs/contracts/factors.md sections 8 and 11.)
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from menshen.core.factors.asks import IdentityProof
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from menshen.wire.weidu import decode
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.calls.login_second import PublicKeyAnswer
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Reply, ok
from menshen.wire.weidu.problems import invalid
from menshen.wire.weidu.steps import read_proof


class ProveRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a method, and what it proves with: the password, a code, or the credential of a passkey."""

    method: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=32,
            description="password; code, which was sent with purpose proof; totp, recovery, passkey.",
            examples=["password"],
        ),
    ]
    password: decode.MaybePassword = ""
    code: decode.MaybeFactorCode = ""
    credential: decode.Credential | UnsetType = UNSET


async def post(call: PrivateCall, body: ProveRequest) -> Reply:
    """Judge the proof, and note it in the session."""
    match await call.flows.factors.prove(_ask(body), call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case Done():
            return ok()


async def post_options(call: PrivateCall, body: NoBody) -> Reply:
    """Return the options for a passkey of the caller."""
    match await call.flows.factors.prove_options(call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case PublicKeyOptions(options=options):
            return ok(PublicKeyAnswer(public_key=dict(options)))


def _ask(body: ProveRequest) -> IdentityProof:
    """Return the proof, which is the one field that its method needs.

    Raises:
        Refused: invalid_request, with a field that is missing or too much.
    """
    if bool(body.password) != (body.method == "password"):
        raise invalid("password")
    if body.method not in {"password", "code"}:
        return IdentityProof(body.method, proof=read_proof(body.method, body.code, body.credential))
    if body.credential is not UNSET:
        raise invalid("credential")
    if bool(body.code) != (body.method == "code"):
        raise invalid("code")
    return IdentityProof(body.method, body.code or body.password)
