"""Run the contracts of captcha vendors, identity providers and second factors over every one, and over copies.

A vendor is its file and its recorded exchanges: `tests/adapters/<kind>/<type>.json`. Nothing else names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.captcha.proof_of_work import ProofOfWorkCaptcha
from menshen.app.plugins import PACKAGES, load_plugin, names_in
from menshen.core.keys import Key, Keyring
from menshen.testing.captcha_contract import CaptchaCase, CaptchaVendorContract, ChallengeCase, ChallengeContract
from menshen.testing.factor_contract import FactorCase, FactorContract
from menshen.testing.provider_contract import ProviderCase, ProviderContract
from tests.adapters.copying import copied_package
from tests.harness import START, Harness

RECORDED = Path(__file__).parent
FOLDERS = {"captcha": "captcha/vendors", "federation": "federation", "factors": "factors"}


def recorded(kind: str, name: str) -> Any:
    return json.loads((RECORDED / FOLDERS[kind] / f"{name}.json").read_text("utf-8"))


def every(kind: str) -> tuple[str, ...]:
    return names_in(PACKAGES[kind])


@pytest.mark.parametrize("kind", FOLDERS)
def test_each_has_recorded_exchanges_and_none_is_left_over(kind: str) -> None:
    assert {file.stem for file in (RECORDED / FOLDERS[kind]).glob("*.json")} == set(every(kind))


@pytest.fixture
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """Copy the specimen of a kind under a new name, and give its module, found by that name, and its exchanges."""
    with copied_package(f"{PACKAGES[request.param]}.specimen", "copied_vendor", tmp_path):
        assert "copied_vendor" in every(request.param)
        text = (RECORDED / FOLDERS[request.param] / "specimen.json").read_text("utf-8")
        yield (
            load_plugin(PACKAGES[request.param], "copied_vendor"),
            json.loads(text.replace("specimen", "copied_vendor")),
        )


class TestCaptchaVendors(CaptchaVendorContract):
    @pytest.fixture(params=every("captcha"))
    def case(self, request: pytest.FixtureRequest) -> CaptchaCase:
        return CaptchaCase(load_plugin(PACKAGES["captcha"], request.param), recorded("captcha", request.param))


@pytest.mark.parametrize("copy", ["captcha"], indirect=True)
class TestACopiedCaptchaVendor(CaptchaVendorContract):
    @pytest.fixture
    def case(self, copy: tuple[Any, Any]) -> CaptchaCase:
        return CaptchaCase(*copy)


class TestTheBuiltInCaptcha(ChallengeContract):
    @pytest.fixture
    def case(self) -> ChallengeCase:
        provider = ProofOfWorkCaptcha(Keyring((Key("k", b"k" * 32),), Key("index", b"i" * 32)), cost=1)
        return ChallengeCase(provider, lambda challenge: Harness.solve(challenge.as_json()), START)


class TestIdentityProviders(ProviderContract):
    @pytest.fixture(params=every("federation"))
    def case(self, request: pytest.FixtureRequest) -> ProviderCase:
        return ProviderCase(load_plugin(PACKAGES["federation"], request.param), recorded("federation", request.param))


@pytest.mark.parametrize("copy", ["federation"], indirect=True)
class TestACopiedIdentityProvider(ProviderContract):
    @pytest.fixture
    def case(self, copy: tuple[Any, Any]) -> ProviderCase:
        return ProviderCase(*copy)


class TestSecondFactors(FactorContract):
    @pytest.fixture(params=every("factors"))
    def case(self, request: pytest.FixtureRequest) -> FactorCase:
        return FactorCase(load_plugin(PACKAGES["factors"], request.param), recorded("factors", request.param))


@pytest.mark.parametrize("copy", ["factors"], indirect=True)
class TestACopiedSecondFactor(FactorContract):
    @pytest.fixture
    def case(self, copy: tuple[Any, Any]) -> FactorCase:
        return FactorCase(*copy)
