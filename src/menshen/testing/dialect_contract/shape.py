"""Test what a dialect's record promises: its files, endpoints, settings and document."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from menshen.testing.dialect_contract.site import DialectSite
from menshen.testing.scripted_flows import FLOW_NAMES

FILES: Final = frozenset({"call", "calls", "envelope", "examples", "problems", "texts"})
"""Modules that every dialect has, so that a reader of one finds the way in another."""


class ShapeContract:
    """Test the package, and the record in it."""

    def test_it_is_named_as_its_package(self, site: DialectSite) -> None:
        name = f"menshen.wire.{site.dialect.name}"
        assert importlib.util.find_spec(name), f"{name} is no package"
        package = importlib.import_module(name)
        assert package.DIALECT is site.dialect
        assert site.dialect.rules.dialect == site.dialect.name
        assert {module.name for module in pkgutil.iter_modules(package.__path__)} >= FILES

    def test_its_paths_lie_below_its_prefix(self, site: DialectSite) -> None:
        for prefix in (site.dialect.prefix, *site.dialect.also):
            assert prefix.startswith("/")
            assert not prefix.endswith("/")
        for endpoint in site.dialect.endpoints:
            assert endpoint.path.startswith(f"{site.dialect.prefix}/"), endpoint.path

    def test_each_endpoint_names_a_flow_and_the_place_that_asks_it(self, site: DialectSite) -> None:
        lines = [(endpoint.verb, endpoint.path) for endpoint in site.dialect.endpoints]
        assert lines
        assert len(set(lines)) == len(lines)
        package = importlib.import_module(f"menshen.wire.{site.dialect.name}")
        modules = {module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")}
        for endpoint in site.dialect.endpoints:
            assert endpoint.flow == "-" or endpoint.flow in FLOW_NAMES, endpoint
            assert endpoint.module in modules, endpoint
            source = Path(importlib.import_module(endpoint.module).__file__ or "")
            assert 1 <= endpoint.line <= len(source.read_text("utf-8").splitlines()), endpoint

    def test_its_settings_have_defaults_and_say_what_they_are(self, site: DialectSite) -> None:
        settings = site.dialect.settings
        if settings is None:
            return
        settings()
        assert settings.__struct_config__.frozen
        assert settings.__struct_config__.forbid_unknown_fields
        described = msgspec.json.schema_components([settings])[1][settings.__name__]["properties"]
        for name, shape in described.items():
            assert shape.get("description"), f"{name} has no description"

    def test_its_document_describes_each_endpoint(self, site: DialectSite) -> None:
        if site.dialect.openapi is None:
            return
        document = site.dialect.openapi("1.2.3")
        assert document["openapi"].startswith("3.1")
        assert document["info"]["version"] == "1.2.3"
        operations = {
            (verb.upper(), path): operation
            for path, verbs in document["paths"].items()
            for verb, operation in verbs.items()
        }
        lines = {(verb, endpoint.path) for endpoint in site.dialect.endpoints for verb in endpoint.verb.split()}
        assert set(operations) == lines
        names = [operation["operationId"] for operation in operations.values()]
        assert len(set(names)) == len(names)
        for line, operation in operations.items():
            statuses = set(operation["responses"])
            assert any(status.startswith("2") for status in statuses), line
            assert any(status == "default" or status.startswith("4") for status in statuses), line
        components = document["components"]["schemas"]
        for pointer in _values(document, "$ref"):
            assert pointer.removeprefix("#/components/schemas/") in components, pointer

    def test_no_url_carries_a_token(self, site: DialectSite) -> None:
        assert not [endpoint.path for endpoint in site.dialect.endpoints if "token}" in endpoint.path]
        document = site.dialect.openapi("0") if site.dialect.openapi else {}
        operations = [operation for verbs in document.get("paths", {}).values() for operation in verbs.values()]
        parameters = [parameter for operation in operations for parameter in operation.get("parameters", ())]
        assert not [p["name"] for p in parameters if p["in"] in {"query", "path"} and "token" in p["name"].lower()]


def _values(part: Any, key: str) -> Iterator[Any]:
    """Find every value of a key in a document."""
    for name, inner in part.items() if isinstance(part, dict) else ():
        if name == key:
            yield inner
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _values(inner, key)
