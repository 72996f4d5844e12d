"""Check the names and origins of `[passkeys]`, and compare them with the passkeys that people have.

(docs/contracts/factors.md section 6, docs/security/attacks.md PK-3.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from menshen.app.settings.sections.passkeys import Passkeys, associations_of
from menshen.app.settings.settings import Settings
from menshen.core.apps import App
from menshen.core.factors.associations import app_origin
from menshen.core.factors.passkeys import is_under
from menshen.core.findings import Finding, error, warning
from menshen.core.networks import is_loopback, parse_address

_MOST_RELATED: Final = 5
"""Browsers follow that many names of domains at least, and some no more. (WebAuthn Level 3 section 5.11.1.)"""

_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+)(:[0-9]{1,5})?", re.ASCII)
_ANDROID: Final = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}", re.ASCII)
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}
_PAGES: Final = ("enroll_url", "manage_url")


def find_passkey_problems(settings: Settings) -> Iterator[Finding]:
    """Find names and origins that no browser sends, or under which no passkey works."""
    passkeys = settings.passkeys
    if passkeys.rp_id and (not _DOMAIN.fullmatch(passkeys.rp_id) or parse_address(passkeys.rp_id)):
        yield error("[passkeys] rp_id", f"{passkeys.rp_id!r} is no domain in lower case, such as example.com")
    for key, origins in (("origins", passkeys.origins), ("embedders", passkeys.embedders)):
        for origin in origins:
            yield from _origin(f"[passkeys] {key}", origin, apps=key == "origins")
    yield from _of_others(passkeys)
    for key in _PAGES:
        address = getattr(passkeys, key)
        if address and not (address.startswith("https://") and urlsplit(address).hostname):
            yield error(f"[passkeys] {key}", f"{address!r} is no https address")
    for package, fingerprints in passkeys.android_apps.items():
        for origin in map(app_origin, fingerprints):
            if passkeys.origins and origin not in passkeys.origins:
                yield warning("[passkeys] origins", f"does not name {origin}, the origin of {package}")


def find_lost_passkeys(settings: Settings, apps: Collection[App], rp_ids: Mapping[str, int]) -> Iterator[Finding]:
    """Find RP ids of stored passkeys under which this server asks for none. `rp_ids` maps them to how many accounts."""
    rp_id = settings.passkeys.rp_id
    hosts = {name.rpartition(":")[0] or name for name in (*settings.server.hosts, *(app.host for app in apps)) if name}
    for stored, accounts in rp_ids.items():
        if rp_id and stored != rp_id:
            yield warning("[passkeys] rp_id", f"is {rp_id}: {_lost(accounts, stored)}")
        elif not rp_id and "*" not in hosts and stored not in hosts and not is_loopback(stored):
            yield warning("[passkeys] rp_id", f"is not set, and no host has that name: {_lost(accounts, stored)}")


def _lost(accounts: int, rp_id: str) -> str:
    return f"{accounts} account{'' if accounts == 1 else 's'} cannot use the passkeys made for {rp_id}"


def _origin(key: str, origin: str, *, apps: bool) -> Iterator[Finding]:
    shape = _ORIGIN.fullmatch(origin)
    if shape is None:
        if not (apps and _ANDROID.fullmatch(origin)):
            yield error(key, f"{origin!r} is no origin such as https://login.example.com")
    elif shape[3] == _USUAL_PORTS[shape[1]]:
        yield error(key, f"{origin}: browsers leave out {shape[3]}, and origins are compared whole")
    elif shape[1] == "http" and not is_loopback(shape[2]):
        yield error(key, f"{origin} is not HTTPS: browsers give it no passkeys")


def _of_others(passkeys: Passkeys) -> Iterator[Finding]:
    """Find what the names of other domains need."""
    if passkeys.origins and not passkeys.rp_id:
        yield warning("[passkeys] rp_id", "is not set beside origins: say the domain that all of them share")
    elif passkeys.origins and not any(is_under(origin, passkeys.rp_id) for origin in passkeys.origins):
        yield warning("[passkeys] origins", f"has none of {passkeys.rp_id} itself: its own pages cannot use passkeys")
    hosts = {urlsplit(origin).hostname for origin in associations_of(passkeys).related}
    if len(hosts) > _MOST_RELATED:
        yield warning(
            "[passkeys] origins", f"names {len(hosts)} hosts of other domains: browsers may follow {_MOST_RELATED}"
        )
