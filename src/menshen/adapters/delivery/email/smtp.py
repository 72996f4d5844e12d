"""Send email over SMTP, with the `aiosmtplib` library."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Annotated, Any, Literal

import aiosmtplib
from msgspec import Meta, Struct, field

from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error, warning
from menshen.core.identifiers import parse_email
from menshen.core.networks import is_loopback
from menshen.core.secret import Secret
from menshen.core.time import SECOND
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Outward


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `smtp`."""

    host: Annotated[str, Meta(description="The name or address of the mail server.")]
    port: Annotated[int, Meta(ge=1, le=65535, description="The port of the mail server.")] = 587
    user: Annotated[str, Meta(description="The user to log in as; empty: no login.")] = ""
    password: Annotated[Secret, Meta(description="The password of that user.")] = Secret("")
    from_: Annotated[str, Meta(description="The sender's address, with or without a name.")] = field(name="from")
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How the connection is encrypted; `none` is for loopback."),
    ] = "starttls"
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time to hand over one message, in seconds.")
    ] = 10.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        if not self.host:
            yield error("host", "must be the name or address of the mail server")
        if parse_email(parseaddr(self.from_)[1]) is None:
            yield error("from", "must be the address that mail comes from")
        if bool(self.user) != bool(self.password):
            yield error("password", "and user belong together: set both or none")
        if self.tls == "none" and self.host and not is_loopback(self.host):
            text = f"none would send codes in clear to {self.host}"
            if self.user:
                yield error("tls", f"{text}, and the password with them")
            else:
                yield warning("tls", text)


class SmtpSender:
    """Send email. Implements `menshen.ports.delivery.Sender`."""

    def __init__(self, settings: Settings) -> None:
        """Open no connection yet. Each message has a connection of its own: a login server sends few."""
        self._settings = settings

    async def send(self, handover: Handover) -> Accepted:
        s = self._settings
        connection = _Connection(
            hostname=s.host,
            port=s.port,
            username=s.user or None,
            password=s.password or None,
            use_tls=s.tls == "tls",
            start_tls=s.tls == "starttls",
            timeout=s.timeout_seconds,
        )
        try:
            mail = _mail_of(handover, s.from_)
            # One deadline over all steps: a server that answers each of them slowly holds no other mail up.
            async with asyncio.timeout(s.timeout_seconds), connection:
                await connection.send_message(mail)
        except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
            # A server that took the mail may break the connection behind it.
            if connection.accepted:
                return Accepted()
            if connection.may_have_taken_it(failure):
                raise DeliveryUnknown(type(failure).__name__) from failure
            raise DeliveryFailed(type(failure).__name__, _verdict_on(failure)) from failure
        return Accepted()


def _verdict_on(failure: Exception) -> Verdict:
    """Return what the refusal of a server means, by the reply codes of RFC 5321 section 4.2."""
    match failure:
        case aiosmtplib.SMTPAuthenticationError() | aiosmtplib.SMTPNotSupported():
            return Verdict.CONFIG
        case aiosmtplib.SMTPRecipientsRefused():
            codes = [refused.code for refused in failure.recipients]
            return Verdict.NUMBER if all(code >= 500 for code in codes) else Verdict.THROTTLED_VENDOR
        case aiosmtplib.SMTPSenderRefused() if failure.code >= 500:
            return Verdict.CONFIG
        case aiosmtplib.SMTPResponseException() if 400 <= failure.code < 600:
            return Verdict.THROTTLED_VENDOR
        case _:
            return Verdict.NOT_REACHED


class _Connection(aiosmtplib.SMTP):
    """Note how far the message of a connection has come."""

    data_began = False
    accepted = False

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        self.data_began = True
        answer = await super().data(message, **options)
        self.accepted = True
        return answer

    def may_have_taken_it(self, failure: Exception) -> bool:
        """Tell whether the server may have the mail: DATA began, and it did not refuse in so many words."""
        return self.data_began and not isinstance(failure, aiosmtplib.SMTPDataError)


def _mail_of(handover: Handover, sender: str) -> EmailMessage:
    mail = EmailMessage()
    # EmailMessage refuses line breaks in headers, so no address can add one.
    mail["From"], mail["To"] = sender, handover.message.to
    mail["Subject"] = handover.subject
    # RFC 5322 section 3.6: receivers refuse mail without these.
    mail["Date"] = format_datetime(datetime.fromtimestamp(handover.now // SECOND, UTC))
    mail["Message-ID"] = f"<{handover.nonce}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail.set_content(handover.text)
    return mail


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender. It speaks SMTP, so it has no use for `outward`."""
    return SmtpSender(settings)
