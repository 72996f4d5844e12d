"""Email over SMTP, with the `aiosmtplib` library."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage

import aiosmtplib

from menshen.core.codes.messages import Message
from menshen.delivery.texts import body_of, subject_of
from menshen.ports.delivery import DeliveryFailed


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how: `tls` is "starttls", "tls" or "none"; `user` "" logs in nowhere; `timeout` in seconds."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: str = "starttls"
    timeout: float = 10.0


class SmtpSender:
    """`menshen.ports.delivery.Sender` for email."""

    def __init__(self, settings: SmtpSettings) -> None:
        """Connections are made for each message: a login server sends few."""
        self._settings = settings

    async def send(self, message: Message) -> None:
        s = self._settings
        mail = EmailMessage()
        try:
            # EmailMessage refuses line breaks in headers, so no address can add one.
            mail["From"], mail["To"], mail["Subject"] = s.sender, message.to, subject_of(message)
            mail.set_content(body_of(message))
            await aiosmtplib.send(
                mail,
                hostname=s.host,
                port=s.port,
                username=s.user or None,
                password=s.password or None,
                use_tls=s.tls == "tls",
                start_tls=s.tls == "starttls",
                timeout=s.timeout,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(type(error).__name__) from error
