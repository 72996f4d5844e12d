"""What a plug-in's proof is worth in a session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from menshen.core.factors.proofs import Method, Proof
from menshen.flows.proofs.kinds import FactorKinds, proof_in, proof_of


@pytest.mark.parametrize(
    ("words", "methods"),
    [
        (("otp",), (Method.OTP,)),
        (("hwk", "pin"), (Method.DEVICE_KEY, Method.USER)),
        (("swk", "face", "fpt"), (Method.SYNCED_KEY, Method.USER)),
        (("otp", "new"), (Method.OTP,)),
    ],
)
def test_the_methods_of_a_plug_in(words: tuple[str, ...], methods: tuple[Method, ...]) -> None:
    assert proof_of(cast("Any", SimpleNamespace(methods=words))).methods == methods


@pytest.mark.parametrize("words", ["", "pwd", "pwd otp", "pwd later"])
def test_the_methods_of_a_session(words: str) -> None:
    proof = proof_in(cast("Any", SimpleNamespace(methods=words, level=1)))
    assert str(proof) == words.removesuffix(" later")
    assert proof.joined(Proof((Method.OTP,))).level == 2


def test_a_kind_is_loaded_once_and_only_by_its_name() -> None:
    loaded: list[str] = []

    def load(kind: str) -> Any:
        loaded.append(kind)
        return SimpleNamespace(methods=("otp",))

    kinds = FactorKinds(["totp"], load)
    assert kinds.find("../totp") is None
    assert kinds.find("totp") is kinds.find("totp")
    assert loaded == ["totp"]
