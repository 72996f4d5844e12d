"""Links that are sent out begin with what operators say, and only where that is one name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.apps import App
from menshen.core.pages.address import pages_address

APP = App(1, "default", "12345678", "secret")


@pytest.mark.parametrize(
    ("app", "hosts", "address"),
    [
        (APP, (), ""),
        (APP, ("login.example",), "https://login.example"),
        (APP, ("login.example:8443", "*"), "https://login.example:8443"),
        (APP, ("*",), ""),
        (APP, ("a.example", "b.example"), ""),
        (replace(APP, host="shop.example"), ("a.example", "b.example"), "https://shop.example"),
        (replace(APP, name="shop"), ("login.example",), ""),
        (replace(APP, host="localhost:8400"), (), "http://localhost:8400"),
        (replace(APP, host="[::1]:8400"), (), "http://[::1]:8400"),
    ],
)
def test_an_address_is_what_operators_say(app: App, hosts: tuple[str, ...], address: str) -> None:
    assert pages_address(app, hosts) == address
