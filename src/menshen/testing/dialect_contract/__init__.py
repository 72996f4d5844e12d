"""Test what every dialect must do. A dialect brings only its folder: the tests find it, and read its `examples.py`.

    from menshen.testing.dialect_contract import DialectContract, DialectSite

    class TestDialects(DialectContract):
        pass

    @pytest.fixture(params=find_dialects(dialect_names()), ids=lambda dialect: dialect.name)
    def site(request): return DialectSite(request.param)

The flows are scripted, so that each test needs no store, no clock and no network.
"""

from __future__ import annotations

from menshen.testing.dialect_contract.bodies import BodiesContract
from menshen.testing.dialect_contract.refusals import RefusalsContract
from menshen.testing.dialect_contract.shape import ShapeContract
from menshen.testing.dialect_contract.site import DialectSite
from menshen.testing.dialect_contract.steps import StepsContract
from menshen.testing.dialect_contract.tokens import TokensContract

__all__ = ["DialectContract", "DialectSite"]


class DialectContract(ShapeContract, RefusalsContract, BodiesContract, TokensContract, StepsContract):
    """Join all parts of the contract. Each method takes a `DialectSite`."""
