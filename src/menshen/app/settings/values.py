"""Check what a type cannot say about one value."""

from __future__ import annotations

import re
from typing import Final

from menshen.app.settings.errors import SettingsError
from menshen.app.settings.sections.limits import network_lists
from menshen.app.settings.sections.outward import named_networks
from menshen.app.settings.settings import Settings
from menshen.core.codes.one_time_codes import looks_like_code
from menshen.core.identifiers import parse_phone

_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(:[0-9]{1,5})?", re.ASCII)


def check_values(settings: Settings) -> None:
    """Refuse a value that no installation could use. Raises SettingsError."""
    _check_url(settings.storage.url)
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
    # The address holds a password: it is not repeated.
    if url.startswith("postgres") and not all(map(_HOST_AND_PORT.fullmatch, _hosts_of(url))):
        raise SettingsError("[storage] url is no address such as postgresql://user:password@host:5432/database")


def _hosts_of(url: str) -> list[str]:
    """Return what stands between user and path: several hosts are parted by commas."""
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2].split(",")
