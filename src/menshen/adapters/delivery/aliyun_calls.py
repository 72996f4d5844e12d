"""Make the calls that the senders of Aliyun share, judge the answers, and read the pushes of receipts.

Three services of Aliyun send text messages. Their calls differ in names only. (docs/contracts/vendors.md section 3.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import urlsplit

from msgspec import Meta

from menshen.adapters.delivery.exchanges import answer_of, object_of, refuse, seconds_in
from menshen.adapters.delivery.templated import TemplatedSettings
from menshen.core.delivery.messages import Message
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.identifiers import can_receive_sms
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.outward.signatures.acs3 import Acs3Key, query_text, signed_headers
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryFailed
from menshen.ports.outward import Outward, Request
from menshen.ports.receipts import Push

KeyId = Annotated[Secret, Meta(description="The id of an access key of Aliyun (AccessKey ID).")]
KeySecret = Annotated[Secret, Meta(description="The secret of that access key (AccessKey Secret).")]

GATEWAY: Final[Mapping[str, Verdict]] = {
    "Throttling*": Verdict.THROTTLED_VENDOR,
    "SignatureDoesNotMatch": Verdict.CONFIG,
    "IncompleteSignature": Verdict.CONFIG,
    "InvalidAccessKeyId.*": Verdict.CONFIG,
    "InvalidTimeStamp.Expired": Verdict.CONFIG,
    "NoPermission": Verdict.CONFIG,
    "Forbidden*": Verdict.CONFIG,
    "SignatureNonceUsed": Verdict.UNKNOWN,
    "ServiceUnavailable": Verdict.UNKNOWN,
    "InternalError": Verdict.UNKNOWN,
}
"""What the gateway before all services answers. An entry with `*` stands for all codes that begin so."""

_GATEWAY_STATUSES: Final = frozenset({400, 403, 404})

_LONGEST_WAIT: Final = 300
"""Seconds. A code lives no longer; a larger number may be in another unit, which the documents leave open."""

_MOST_PUSH: Final = 64 * 1024
_RECEIPT: Final = re.compile(r"[A-Za-z0-9^._:-]{1,64}", re.ASCII)
_RESULT: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{7}", re.ASCII)

PUSH_ANSWER: Final = b'{"code":0,"msg":"OK"}'
"""What Aliyun wants to read after a push."""


@dataclass(frozen=True, slots=True)
class Told:
    """Hold an answer: its status, its JSON object ({} for anything else), and the seconds to wait (0: none)."""

    status: int
    values: Mapping[str, Any] = field(repr=False)
    retry_after: float = 0


class AliyunCalls:
    """Make signed calls to one service."""

    def __init__(
        self,
        outward: Outward,
        key: Acs3Key,
        *,
        endpoint: str,
        version: str,
        seconds: float,
        own_host: bool,
    ) -> None:
        """Keep where the service is. `seconds` bounds each call; `own_host` is as in `Request`."""
        self._outward = outward
        self._key = key
        self._endpoint = endpoint.rstrip("/")
        self._version = version
        self._seconds = seconds
        self._own_host = own_host

    async def ask(self, action: str, values: Mapping[str, str], *, nonce: str, now: Instant) -> Told:
        """Make one call with the parameters `values`.

        Raises:
            DeliveryFailed: no byte of the call left.
            DeliveryUnknown: it may have left, and no whole answer came.
        """
        url = f"{self._endpoint}/?{query_text(values)}"
        headers = signed_headers(self._key, url, action=action, version=self._version, nonce=nonce, now=now)
        request = Request("POST", url, headers, seconds=self._seconds, own_host=self._own_host)
        answer = await answer_of(self._outward, request)
        wait = seconds_in(answer.headers.get("x-acs-retry-after", ""))
        return Told(answer.status, object_of(answer.body), wait if wait <= _LONGEST_WAIT else 0)


def demand_accepted(told: Told, answers: Mapping[str, Verdict], *, code_key: str = "Code") -> None:
    """Return if the vendor accepted a call: with status 200 and a code that `answers` says is ACCEPTED.

    `answers` is the table of the service; its code stands under `code_key`. The gateway writes `Code`, and never with
    status 200. A refusal by the service counts with a status of the gateway, too.

    Raises:
        DeliveryFailed: the vendor refused.
        DeliveryUnknown: nothing proves that it did.
    """
    if told.status == 200:
        entry, verdict = _judge(answers, told.values.get(code_key))
        if verdict is Verdict.ACCEPTED:
            return
    elif told.status in _GATEWAY_STATUSES:
        refusals = {code: verdict for code, verdict in answers.items() if verdict is not Verdict.ACCEPTED}
        entry, verdict = _judge({**refusals, **GATEWAY}, told.values.get("Code"))
    else:
        entry, verdict = "", Verdict.UNKNOWN
    refuse(verdict, told.status, entry, told.retry_after)


def _judge(table: Mapping[str, Verdict], code: object) -> tuple[str, Verdict]:
    """Return the entry of a table that is nearest to a code, and its verdict; UNKNOWN for a code without one."""
    if not isinstance(code, str):
        return "", Verdict.UNKNOWN
    begins = [entry for entry in table if entry.endswith("*") and code.startswith(entry[:-1])]
    entry = code if code in table else max(begins, key=len, default="")
    return entry, table.get(entry, Verdict.UNKNOWN)


def refuse_number(why: str) -> NoReturn:
    """Refuse a message to a number that this service does not reach.

    No byte left. The verdict lets another sender try, and opens no breaker: others' messages go on.

    Raises:
        DeliveryFailed: always.
    """
    raise DeliveryFailed(why, Verdict.THROTTLED_NUMBER)


def is_mainland(to: str) -> bool:
    """Tell whether an E.164 number is a mobile of mainland China, by its country and its range."""
    return can_receive_sms(to, ("+86",))


def dialled(to: str) -> str:
    """Return an E.164 number as Aliyun's mainland services take it.

    A mobile of the mainland has 11 digits. All others are country code and number, without `+`. Of +1 862 555 0123 that
    would be a mobile of the mainland, so a stranger would get the code.

    Raises:
        DeliveryFailed: the digits of a number abroad are those of a mobile of the mainland, too.
    """
    digits = to.removeprefix("+86" if is_mainland(to) else "+")
    if not is_mainland(to) and is_mainland(f"+86{digits}"):
        refuse_number("the service takes the number for a mobile of mainland China")
    return digits


def template_text(settings: TemplatedSettings, message: Message) -> str:
    """Return the JSON text of what a message's template gets, "" for a template without parameters.

    Each value is a text, so that a code keeps its zeros.

    Raises:
        DeliveryFailed: the parameters have places instead of names.
    """
    parameters = settings.parameters_of(message)
    if isinstance(parameters, list):
        raise DeliveryFailed("the parameters have no names", Verdict.CONFIG)
    return json.dumps(parameters, ensure_ascii=False, separators=(",", ":")) if parameters else ""


def find_call_problems(key_id: Secret, secret: Secret, endpoint: str) -> Iterator[Finding]:
    """Find what is wrong with the keys that all calls need. Shows no secret."""
    if not re.fullmatch(r"[!-+\--~]{1,128}", key_id, re.ASCII):
        yield error("access_key_id", "must be the id of an access key, without blanks and commas")
    if not secret:
        yield error("access_key_secret", "must be the secret of that access key")
    found = list(find_endpoint_problems("endpoint", endpoint))
    if not found:
        address = urlsplit(endpoint)
        if address.path not in {"", "/"} or any(mark in endpoint for mark in "?#@"):
            found.append(error("endpoint", "must be scheme and host only, such as https://dysmsapi.aliyuncs.com"))
    yield from found


def find_list_problems(settings: TemplatedSettings) -> Iterator[Finding]:
    """Find parameters given by place: the templates of Aliyun have names only."""
    for key in ("parameters", "notice_parameters"):
        if isinstance(getattr(settings, key), list):
            yield error(key, "must be a table: the parameters of Aliyun's templates have names")


def receipt_in(value: object) -> str:
    """Return the vendor's number for a message, "" for what cannot be one."""
    return value if isinstance(value, str) and _RECEIPT.fullmatch(value) else ""


def result_in(value: object) -> str:
    """Return the vendor's word for what became of a message, "" for what may hold a text or a number."""
    return value if isinstance(value, str) and _RESULT.fullmatch(value) and not _NUMBER.search(value) else ""


def pushed_items(push: Push) -> list[dict[str, Any]] | None:
    """Return the objects of a push of receipts, or None for a body that is no list of them or has over 64 KiB."""
    if len(push.body) > _MOST_PUSH:
        return None
    try:
        read = json.loads(push.body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, list) and all(isinstance(item, dict) for item in read) else None
