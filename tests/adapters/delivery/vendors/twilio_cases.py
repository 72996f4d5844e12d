"""Share what the tests of Twilio have in common: its recorded cases, a sender, and answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from menshen.adapters.delivery.sms.twilio import Settings, TwilioSender
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.time import Instant
from menshen.ports.delivery import Handover
from menshen.ports.outward import Answer, NotReached, Request, Unknown
from menshen.ports.receipts import Receipt
from menshen.testing.outward import FakeOutward
from menshen.testing.plugin_rules import settings_of
from tests.vendors.vectors import recorded

RECORDED = recorded("twilio_sms")
VECTORS, RECEIPTS, ANSWERED = RECORDED["vectors"], RECORDED["receipts"], RECORDED["answers"]
SENT = [vector for vector in VECTORS if "phone" in vector["input"]]
(ASKED,) = [vector for vector in VECTORS if "sid" in vector["input"]]

SID = ASKED["input"]["sid"]
ACCOUNT = ASKED["input"]["account_sid"]
TOKEN = ASKED["input"]["auth_token"]
KEYS: dict[str, Any] = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+14155550123"}
API_KEY: dict[str, Any] = {"auth_token": "", "api_key": "SK00", "api_secret": "s"}
URL = RECEIPTS[0]["url"]
DELIVERED = Receipt(SID, delivered=True, code="delivered")
RECEIVED = [DELIVERED, Receipt(SID, delivered=False, code="30006")]
NOW = Instant(1_767_225_600_000)
MESSAGE = Message(Channel.SMS, "+14155550100", Template.CODE_LOGIN, "en", NOW, code="123456")


def by_name(recorded: dict[str, Any]) -> str:
    return recorded["name"]


def settings(**given: Any) -> Settings:
    made = settings_of(Settings, given)
    assert isinstance(made, Settings)
    return made


def sender(*outcomes: Answer | NotReached | Unknown, **more: Any) -> tuple[TwilioSender, FakeOutward]:
    outward = FakeOutward(*outcomes)
    return TwilioSender(settings(**{**KEYS, **more}), outward), outward


def handover(text: str = "123456", to: str = MESSAGE.to) -> Handover:
    message = Message(MESSAGE.channel, to, MESSAGE.template, MESSAGE.language, NOW, code=MESSAGE.code)
    return Handover(message, 42, "0" * 32, NOW, text)


def answer(status: int, /, **body: Any) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


def headers_of(request: Request) -> dict[str, str]:
    """Give all headers that the vendor gets: the client adds the host."""
    return {"Host": urlsplit(request.url).netloc, **request.headers}
