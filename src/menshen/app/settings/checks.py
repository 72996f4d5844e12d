"""Settings that contradict one another, found at start and by `menshen check`, each by its name.

An error refuses the start; a warning is told and served. (docs/contracts/core.md section 5.2, docs/security/attacks.md
AD-2.)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from menshen.app.settings.reader import Settings, SettingsError, end_of
from menshen.core.apps import App, CaptchaRule, DeviceSign
from menshen.core.identifiers import parse_email, parse_phone
from menshen.core.login.hash_costs import MOST_WORK
from menshen.core.networks import is_loopback
from menshen.core.time import DAY, Instant

OWASP_MINIMUM: Final = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))
"""(KiB, passes) of argon2id that are equally hard; the least is to reach one of them."""

_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


class Severity(StrEnum):
    """Whether one may serve with it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about `key`, which is `[section] key` or `app NAME`."""

    severity: Severity
    key: str
    text: str

    def __str__(self) -> str:
        """As it is printed."""
        return f"{self.key}: {self.text}"


def find_problems(settings: Settings, now: Instant) -> list[Finding]:
    """Everything wrong with the settings by themselves, errors first."""
    found = [
        *_server(settings),
        *_hosts(settings),
        *_patience(settings),
        *_hash(settings),
        *_sms(settings, now),
        *_email(settings),
        *_keys(settings),
        *_limits(settings),
        *_careyshop(settings),
    ]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def find_app_problems(settings: Settings, apps: Sequence[App]) -> list[Finding]:
    """What the apps in the database ask for and this server cannot give or should not."""
    return [finding for app in apps if not app.disabled for finding in _app(settings, app)]


def refuse_contradictions(settings: Settings, now: Instant) -> list[Finding]:
    """The warnings.

    Raises:
        SettingsError: there is an error; its sentence is the first one's.
    """
    found = find_problems(settings, now)
    for finding in found:
        if finding.severity is Severity.ERROR:
            raise SettingsError(str(finding))
    return found


def _error(key: str, text: str) -> Finding:
    return Finding(Severity.ERROR, key, text)


def _warning(key: str, text: str) -> Finding:
    return Finding(Severity.WARNING, key, text)


def _server(settings: Settings) -> Iterator[Finding]:
    server, sms, email = settings.server, settings.sms.sender, settings.email.sender
    if not _is_address(server.host) and not _HOST.fullmatch(server.host):
        yield _error("[server] host", "is neither an address nor a host name")
    elif not is_loopback(server.host) and not server.outbox_on_network:
        for section, sender in (("sms", sms), ("email", email)):
            if sender == "outbox":
                yield _error(
                    f"[{section}] sender",
                    f"outbox keeps codes where only `menshen outbox` shows them, but [server] host = {server.host} "
                    "serves the network: choose a sender, or say [server] outbox_on_network = true",
                )
    elif server.trusted_proxies and not server.outbox_on_network and "outbox" in {sms, email}:
        yield _warning("[server] trusted_proxies", "a proxy stands before an outbox: choose a sender for codes")
    for origin in server.cors_origins:
        shape = _ORIGIN.fullmatch(origin)
        if origin == "*":
            yield _error("[server] cors_origins", "* would let every web page read answers: name the origins")
        elif shape is None:
            yield _error("[server] cors_origins", f"{origin!r} is no origin such as https://shop.example")
        elif shape[1] == "http" and not is_loopback(shape[2].strip("[]")):
            yield _warning("[server] cors_origins", f"{origin} is not HTTPS: whoever is on its network reads answers")
    for network in server.metrics_networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield _error("[server] metrics_networks", f"{network!r} is no network such as 10.0.0.0/8")


def _hosts(settings: Settings) -> Iterator[Finding]:
    names = settings.server.hosts
    for name in names:
        if name != "*" and not _HOST.fullmatch(name.partition(":")[0]):
            yield _error("[server] hosts", f"{name!r} is no host name")
    if "*" in names and not is_loopback(settings.server.host):
        yield _warning("[server] hosts", "* answers for any name: cookies and addresses follow what a request says")


def _careyshop(settings: Settings) -> Iterator[Finding]:
    if settings.careyshop.recorded_manners and not is_loopback(settings.server.host):
        text = "is for comparing on this machine, and [server] host serves the network: its XML can be injected into"
        yield _error("[careyshop] recorded_manners", text)


def _patience(settings: Settings) -> Iterator[Finding]:
    """Find waits that are longer than the wait they are part of."""
    patience = settings.patience
    if patience.lock > patience.statement:
        yield _error("[patience] lock", "is longer than statement, which waits for it")
    if patience.statement > patience.transaction:
        yield _error("[patience] statement", "is longer than transaction, which holds it")


def _hash(settings: Settings) -> Iterator[Finding]:
    cost = settings.hash
    if cost.testing and not is_loopback(settings.server.host):
        yield _error("[hash] testing", "is for tests on this machine, and [server] host serves the network")
    if cost.memory_kib * cost.passes > MOST_WORK:
        yield _error("[hash] memory_kib", f"times passes is at most {MOST_WORK}")
    if not cost.testing and not any(cost.memory_kib >= m and cost.passes >= t for m, t in OWASP_MINIMUM):
        yield _error(
            "[hash] memory_kib",
            f"{cost.memory_kib} KiB with {cost.passes} passes is too cheap to guess against: 19456 with 2 is the least",
        )


def _sms(settings: Settings, now: Instant) -> Iterator[Finding]:
    seen: set[str | None] = set()
    for phone, entry in settings.sms.test_numbers.items():
        key = f"[sms.test_numbers] {phone}"
        if now >= end_of(entry.until):
            yield _error(key, f"was good until {entry.until} and is over: take it out or give it a new end")
        elif end_of(entry.until) - now > 366 * DAY:
            yield _warning(key, "logs in with a code that never changes for more than a year")
        if (number := parse_phone(phone)) in seen:
            yield _error(key, "is there twice, in two spellings")
        seen.add(number)
    if settings.sms.sender == "webhook":
        yield from _webhook(settings)
    if not settings.sms.countries:
        yield _warning("[sms] countries", "is empty: no code can be sent anywhere")


def _webhook(settings: Settings) -> Iterator[Finding]:
    address = urlsplit(settings.sms.webhook_url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        yield _error("[sms] webhook_url", "is needed by sender = webhook: the http(s) address that messages go to")
    elif address.scheme == "http" and not is_loopback(address.hostname):
        yield _error("[sms] webhook_url", f"would send codes in clear to {address.hostname}: use https")
    if len(settings.sms.webhook_secret) < 16:
        yield _error("[sms] webhook_secret", "is needed by sender = webhook: 16 characters or more to sign with")


def _email(settings: Settings) -> Iterator[Finding]:
    mail = settings.email
    if mail.sender != "smtp":
        return
    if not mail.smtp_host:
        yield _error("[email] smtp_host", "is needed by sender = smtp")
    if parse_email(parseaddr(mail.smtp_from)[1]) is None:
        yield _error("[email] smtp_from", "is needed by sender = smtp: the address that mail comes from")
    if bool(mail.smtp_user) != bool(mail.smtp_password):
        yield _error("[email] smtp_password", "and smtp_user belong together: set both or none")
    if mail.smtp_tls == "none" and mail.smtp_host and not is_loopback(mail.smtp_host):
        text = f"none would send codes in clear to {mail.smtp_host}"
        if mail.smtp_user:
            yield _error("[email] smtp_tls", f"{text}, and the password with them")
        else:
            yield _warning("[email] smtp_tls", text)


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.keys.file and settings.keys.content:
        yield _error("[keys] file", "and content are both set: leave one out")


def _limits(settings: Settings) -> Iterator[Finding]:
    limits = settings.limits
    if limits.captcha_from > limits.pause_after:
        yield _warning("[limits] captcha_from", "is above pause_after: logins pause before any captcha is asked")
    if limits.pause_after > limits.suspend_after:
        yield _warning("[limits] pause_after", "is above suspend_after: passwords are suspended before any pause")


def _app(settings: Settings, app: App) -> Iterator[Finding]:
    key = f"app {app.name}"
    behind_https = settings.server.trusted_proxies > 0 or is_loopback(settings.server.host)
    if app.host_only_cookies and not behind_https:
        yield _warning(key, "asks for __Host- cookies, which browsers take over HTTPS only, and no proxy is configured")
    if app.hardened and app.device_sign is not DeviceSign.HMAC:
        yield _warning(key, f"is hardened, but a device_sign of {app.device_sign} can be forged: choose hmac")
    if app.captcha is CaptchaRule.NEVER and not is_loopback(settings.server.host):
        yield _warning(key, "asks for no captcha at all: only pauses hold guessing back")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
