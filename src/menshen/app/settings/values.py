"""Check what a type cannot say about one value."""

from __future__ import annotations

from menshen.adapters.storage.sql.engines.address import AddressError, read_address
from menshen.app.settings.errors import SettingsError
from menshen.app.settings.sections.limits import network_lists
from menshen.app.settings.sections.outward import named_networks
from menshen.app.settings.settings import Settings
from menshen.core.codes.one_time_codes import looks_like_code
from menshen.core.identifiers import parse_phone


def check_values(settings: Settings) -> None:
    """Refuse a value that no installation could use. Raises SettingsError."""
    _check_url(settings.storage.url)
    _check_direct_url(settings)
    for section, check in (
        ("risk", lambda: network_lists(settings.risk)),
        ("outward", lambda: named_networks(settings.outward)),
    ):
        try:
            check()
        except ValueError as error:
            raise SettingsError(f"[{section}] {error}") from None
    for country in settings.sms.country_budgets:
        if country not in settings.sms.countries:
            raise SettingsError(f"[sms] country_budgets: {country!r} is not among countries")
    for phone, entry in settings.sms.test_numbers.items():
        if parse_phone(phone) is None:
            raise SettingsError(f"[sms.test_numbers] {phone!r} is no phone number")
        if not looks_like_code(entry.code):
            raise SettingsError(f"[sms.test_numbers] {phone!r}: code must be six digits")


def _check_url(url: str) -> None:
    if url and not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise SettingsError("[storage] url must begin with sqlite:/// or postgresql://")
    if url == "sqlite:///" or ":memory:" in url:
        raise SettingsError("[storage] url: sqlite:/// needs the path of a file")
    if url.startswith("postgres"):
        _check_address("url", url)


def _check_direct_url(settings: Settings) -> None:
    if not settings.storage.direct_url:
        return
    if settings.sqlite_path is not None:
        raise SettingsError("[storage] direct_url is for PostgreSQL, and [storage] url names none: leave it out")
    _check_address("direct_url", settings.storage.direct_url)


def _check_address(key: str, url: str) -> None:
    try:
        read_address(url)
    except AddressError as error:
        raise SettingsError(f"[storage] {key} {error}") from None
