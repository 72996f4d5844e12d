"""Find settings that contradict one another, at start and by `menshen check`. Each finding names its key.

An error refuses the start; a warning is logged, and the server starts. (docs/contracts/core.md section 5.2,
docs/security/attacks.md AD-2.)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from menshen.app.plugins import PACKAGES, names_in
from menshen.app.settings.cors import find_cors_problems
from menshen.app.settings.errors import SettingsError
from menshen.app.settings.policy import end_of
from menshen.app.settings.sections.captcha import terms_of
from menshen.app.settings.sections.passkey_checks import find_lost_passkeys, find_passkey_problems
from menshen.app.settings.senders import find_sender_problems
from menshen.app.settings.settings import Settings
from menshen.app.settings.texts import find_text_problems, find_texts_of_no_app
from menshen.core.apps import App, CaptchaRule, DeviceSign, SecondFactorRule
from menshen.core.findings import Finding, Severity, error, warning
from menshen.core.gates.captcha_vendors import hosts_of
from menshen.core.identifiers import parse_phone
from menshen.core.login.hash_costs import MOST_WORK
from menshen.core.networks import is_loopback
from menshen.core.pages.findings import find_page_problems
from menshen.core.pages.settings import PageSettings
from menshen.core.time import DAY, Instant

OWASP_MINIMUM: Final = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))
"""(KiB, passes) of argon2id that are equally hard; the least is to reach one of them."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


def find_problems(settings: Settings, now: Instant) -> list[Finding]:
    """Find everything that is wrong with the settings by themselves, errors first."""
    found = [
        *_server(settings),
        *_dialects(settings),
        *_hosts(settings),
        *_patience(settings),
        *_hash(settings),
        *_sms(settings, now),
        *_senders(settings),
        *find_sender_problems(settings),
        *find_text_problems(settings),
        *_captcha_vendors(settings),
        *find_passkey_problems(settings),
        *_keys(settings),
        *_limits(settings),
        *_sections_of_dialects(settings),
        *settings.notes,
    ]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def find_app_problems(
    settings: Settings,
    apps: Sequence[App],
    rp_ids: Mapping[str, int] = MappingProxyType({}),
    pages: Mapping[int, PageSettings] = MappingProxyType({}),
) -> list[Finding]:
    """Find what the apps and passkeys in the database ask for and this server cannot give or should not.

    `rp_ids` are those of stored passkeys, and how many accounts have some. `pages` are the hosted pages by app.
    """
    enabled = [app for app in apps if not app.disabled]
    return [
        *(finding for app in enabled for finding in _app(settings, app)),
        *(found for app in enabled if (own := pages.get(app.app_id)) for found in find_page_problems(_key(app), own)),
        *_laxer(enabled),
        *find_texts_of_no_app(settings, apps),
        *find_lost_passkeys(settings, apps, rp_ids),
    ]


def refuse_contradictions(settings: Settings, now: Instant) -> list[Finding]:
    """Return the warnings.

    Raises:
        SettingsError: there is an error; its sentence is the first one's.
    """
    found = find_problems(settings, now)
    for finding in found:
        if finding.severity is Severity.ERROR:
            raise SettingsError(str(finding))
    return found


def _server(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    senders = {"[sms] sender": settings.sms.sender, "[email] sender": settings.email.sender}
    if settings.sms.senders:
        del senders["[sms] sender"]
        senders |= {f"[[sms.senders]] {one.name}": one for one in settings.sms.senders}
    kept = [key for key, chosen in senders.items() if chosen.type == "outbox"]
    if not _is_address(server.host) and not _HOST.fullmatch(server.host):
        yield error("[server] host", "is neither an address nor a host name")
    elif not is_loopback(server.host) and not server.outbox_on_network:
        for key in kept:
            yield error(
                key,
                f"outbox keeps codes where only `menshen outbox` shows them, but [server] host = {server.host} "
                "serves the network: choose a sender, or say [server] outbox_on_network = true",
            )
    elif server.trusted_proxies and not server.outbox_on_network and kept:
        yield warning("[server] trusted_proxies", "a proxy stands before an outbox: choose a sender for codes")
    yield from find_cors_problems(server)
    for network in server.metrics_networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield error("[server] metrics_networks", f"{network!r} is no network such as 10.0.0.0/8")


def _dialects(settings: Settings) -> Iterator[Finding]:
    """Find names of dialects that are not there, and sections of dialects that are not served.

    It imports the dialects that the settings name, as serving them would.
    """
    names = settings.server.dialects
    if not names and not settings.dialects:
        return
    from menshen.app.discovery import SPECIMEN, UnknownDialectError, find_dialects

    try:
        served = {dialect.name for dialect in find_dialects(names)}
    except UnknownDialectError as unknown:
        yield error("[server] dialects", str(unknown))
        return
    if len(served) != len(names or served):
        yield error("[server] dialects", "names a dialect twice")
    if SPECIMEN in served:
        yield warning("[server] dialects", f"serves {SPECIMEN}, which is there to be copied and not to be used")
    for name in settings.dialects:
        if name not in served:
            yield warning(f"[{name}]", "is the section of a dialect that [server] dialects does not serve")


def _hosts(settings: Settings) -> Iterator[Finding]:
    names = settings.server.hosts
    for name in names:
        if name != "*" and not _HOST.fullmatch(name.partition(":")[0]):
            yield error("[server] hosts", f"{name!r} is no host name")
    if "*" in names and not is_loopback(settings.server.host):
        yield warning("[server] hosts", "* answers for any name: cookies and addresses follow what a request says")


def _sections_of_dialects(settings: Settings) -> Iterator[Finding]:
    """Find what dialects say about their own keys."""
    on_network = not is_loopback(settings.server.host)
    for name, own in settings.dialects.items():
        find = getattr(own, "find_problems", None)
        for finding in find(on_network=on_network) if find else ():
            yield replace(finding, key=f"[{name}] {finding.key}")


def _patience(settings: Settings) -> Iterator[Finding]:
    """Find waits that are longer than the wait they are part of."""
    patience = settings.patience
    if patience.lock > patience.statement:
        yield error("[patience] lock", "is longer than statement, which waits for it")
    if patience.statement > patience.transaction:
        yield error("[patience] statement", "is longer than transaction, which holds it")


def _hash(settings: Settings) -> Iterator[Finding]:
    cost = settings.hash
    if cost.testing and not is_loopback(settings.server.host):
        yield error("[hash] testing", "is for tests on this machine, and [server] host serves the network")
    if cost.memory_kib * cost.passes > MOST_WORK:
        yield error("[hash] memory_kib", f"times passes is at most {MOST_WORK}")
    if not cost.testing and not any(cost.memory_kib >= m and cost.passes >= t for m, t in OWASP_MINIMUM):
        yield error(
            "[hash] memory_kib",
            f"{cost.memory_kib} KiB with {cost.passes} passes is too cheap to guess against: 19456 with 2 is the least",
        )


def _sms(settings: Settings, now: Instant) -> Iterator[Finding]:
    seen: set[str | None] = set()
    for phone, entry in settings.sms.test_numbers.items():
        key = f"[sms.test_numbers] {phone}"
        if now >= end_of(entry.until):
            yield error(key, f"was good until {entry.until} and is over: take it out or give it a new end")
        elif end_of(entry.until) - now > 366 * DAY:
            yield warning(key, "logs in with a code that never changes for more than a year")
        if (number := parse_phone(phone)) in seen:
            yield error(key, "is there twice, in two spellings")
        seen.add(number)
    if not settings.sms.countries:
        yield warning("[sms] countries", "is empty: no code can be sent anywhere")


def _senders(settings: Settings) -> Iterator[Finding]:
    """Find what the senders say about their own keys."""
    for section, chosen in (*(("sms", sender) for sender in settings.sms.chosen), ("email", settings.email.sender)):
        yield from chosen.find_problems()
        if chosen.type == "specimen":
            yield warning(f"[{section}] sender", "is specimen: an example to copy, with no vendor behind it")


def _captcha_vendors(settings: Settings) -> Iterator[Finding]:
    """Find what the vendors of captchas say about their own keys."""
    for chosen in settings.captcha.vendors:
        yield from chosen.find_problems()
        if chosen.type == "specimen":
            yield warning(chosen.place.strip(), "is specimen: an example to copy, with no vendor behind it")
        elif not chosen.terms.per_day:
            yield warning(f"{chosen.place}per_day", "is 0: nothing limits what the questions of a day cost")


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.keys.file and settings.keys.content:
        yield error("[keys] file", "and content are both set: leave one out")


def _limits(settings: Settings) -> Iterator[Finding]:
    limits = settings.limits
    if limits.captcha_from > limits.pause_after:
        yield warning("[limits] captcha_from", "is above pause_after: logins pause before any captcha is asked")
    if limits.pause_after > limits.suspend_after:
        yield warning("[limits] pause_after", "is above suspend_after: passwords are suspended before any pause")
    if 2 * limits.suspend_share >= limits.suspend_after:
        yield warning("[limits] suspend_share", "is not below half of suspend_after: one network can suspend one")
    for share, whole in (("send_share_per_hour", "send_per_hour"), ("send_share_per_day", "send_per_day")):
        if getattr(limits, share) >= getattr(limits, whole) > 0:
            yield warning(f"[limits] {share}", f"is not below {whole}: one network can use up the codes of a number")
    if limits.send_per_network < limits.send_per_address:
        yield warning("[limits] send_per_network", "is below send_per_address: it limits each line too")


def _app(settings: Settings, app: App) -> Iterator[Finding]:
    key = _key(app)
    behind_https = settings.server.trusted_proxies > 0 or is_loopback(settings.server.host)
    if app.host_only_cookies and not behind_https:
        yield warning(key, "asks for __Host- cookies, which browsers take over HTTPS only, and no proxy is configured")
    if app.hardened and app.device_sign is not DeviceSign.HMAC:
        yield warning(key, f"is hardened, but a device_sign of {app.device_sign} can be forged: choose hmac")
    if app.captcha is CaptchaRule.NEVER and not is_loopback(settings.server.host):
        yield warning(key, "asks for no captcha at all: only pauses hold guessing back")
    yield from _vendor_of(settings, app)
    yield from _second_factor_of(app)


def _second_factor_of(app: App) -> Iterator[Finding]:
    """Find what makes the second factors of an app weak, or keeps people out. (docs/contracts/factors.md section 9.)"""
    key, rule = _key(app), app.second_factor
    if rule not in _LAX_RULES and not _enrollable(app):
        yield warning(
            key,
            f"has second-factor {rule}, and its factors name none that people can enrol: who has none cannot log in",
        )
    if rule is SecondFactorRule.REQUIRED_FOR and not app.required_for_roles:
        yield warning(key, "has second-factor required_for, and required-for-roles names no role: it asks no account")
    if app.sms_step:
        yield warning(
            key,
            "takes a code by SMS as second step, the weakest one: who takes over a phone number, by a copy of the SIM "
            "card for example, gets the codes too, and can reset the password by the same phone",
        )


def _vendor_of(settings: Settings, app: App) -> Iterator[Finding]:
    """Find what is wrong with the captcha vendor of an app."""
    key, name = _key(app), app.captcha_vendor
    if not name:
        return
    chosen = next((one for one in settings.captcha.vendors if one.name == name), None)
    if chosen is None:
        yield warning(
            key,
            f"names the captcha vendor {name}, and no [[captcha.vendors]] has that name: its clients get the built-in "
            "test, one step harder",
        )
    elif not hosts_of(app, terms_of(chosen), settings.server.hosts, settings.server.cors_origins):
        yield warning(
            key,
            f"has the captcha vendor {name}, and no host name is known for its pages: say [[captcha.vendors]] {name} "
            "hosts, else no token fits",
        )
    if "careyshop" in (settings.server.dialects or ("careyshop",)):
        yield warning(
            key,
            f"has the captcha vendor {name}, and the careyshop dialect goes on with pictures: callers choose the "
            "dialect, and [server] dialects leaves one out",
        )


def _enrollable(app: App) -> set[str]:
    """Return the kinds of the app that people can enrol. Recovery codes come with another factor only."""
    plugins = set(names_in(PACKAGES["factors"])) - {"specimen"}
    return {"passkey", *plugins}.intersection(app.factors.split())


_LAX_RULES: Final = frozenset({SecondFactorRule.OFF, SecondFactorRule.OPTIONAL})
_LAXITIES: Final[tuple[tuple[str, Callable[[App], bool]], ...]] = (
    ("registers people without proof", lambda app: app.registers_without_proof),
    ("tells who has an account", lambda app: app.exist_calls),
    ("needs no signed device", lambda app: not app.hardened),
    ("does not always ask for a captcha", lambda app: app.captcha is not CaptchaRule.ALWAYS),
    ("asks for no second factor", lambda app: app.second_factor in _LAX_RULES),
)


def _laxer(apps: Sequence[App]) -> Iterator[Finding]:
    """Find what one app forbids and another allows: callers name the app, by the Host header or the appkey."""
    for does, is_lax in _LAXITIES:
        lax = next((app for app in apps if is_lax(app)), None)
        strict = next((app for app in apps if not is_lax(app)), None)
        if lax and strict:
            yield warning(_key(lax), f"{does}, and app {strict.name} does not: callers choose the app")


def _key(app: App) -> str:
    return f"app {app.name}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
