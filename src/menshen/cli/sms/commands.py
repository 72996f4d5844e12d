"""Provide `menshen sms list`, `menshen sms test` and `menshen sms receipt`.

None of them uses the outbox to send, and a server that runs beside them notices only the counters.
(docs/contracts/vendors.md section 3, "Commands and figures".)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from menshen.app.installation.opening import Installation
from menshen.app.settings.chosen import Chosen
from menshen.cli.groups import Group
from menshen.cli.opening import RefusedError, common_options, with_installation
from menshen.cli.showing import instant, show_json, show_record, show_table
from menshen.core.audit.events import Tag
from menshen.core.audit.filters import EventFilter
from menshen.core.codes.sms_traffic import day_of
from menshen.core.delivery.messages import NOTICE, PURPOSES, StoredMessage, Template
from menshen.core.delivery.receipts import outcome_text, push_path
from menshen.core.delivery.senders import SenderDay, SenderTerms
from menshen.core.delivery.verdicts import Verdict
from menshen.core.identifiers import parse_phone

ACCEPTED, REJECTED, UNKNOWN = 0, 1, 2

_CODES: Final = tuple(purpose for purpose in PURPOSES if purpose != NOTICE)
_CHANGES: Final = {Tag.SENDER_DOWN: "down", Tag.SENDER_BACK: "back", Tag.SENDER_SPENT: "spent"}
_OUTBOX: Final = "outbox"

cli = Group("sms", help="The senders of text messages.")


@cli.command("list")
@common_options
def list_(*, data: Path, config: Path | None, as_json: bool) -> None:
    """List the senders of text messages, with what they handed over today and where receipts go. Changes nothing."""

    async def work(here: Installation) -> tuple[list[dict[str, Any]], bool]:
        from menshen.app.parts.configured import sender_of
        from menshen.cli.sms.dry_run import RecordingOutward
        from menshen.ports.receipts import ReceiptReader

        days = {day.sender: day for day in await here.store.read.sender_days.of_day(day_of(here.world.now()))}
        changes, rows = await _last_changes(here), []
        for chosen in here.settings.sms.chosen:
            made = sender_of(chosen, RecordingOutward())
            reads = isinstance(made.sender, ReceiptReader)
            path = push_path(chosen.name, here.keyring.receipt_secret(chosen.name)) if reads else None
            day = days.get(chosen.name, SenderDay(chosen.name, 0, 0, 0))
            rows.append(_row(chosen, made.terms, day, changes.get(chosen.name), path))
        return rows, here.settings.sms.receipts

    rows, taken = with_installation(data, config, work)
    if as_json:
        show_json({"receipts": taken, "senders": rows})
        return
    show_table([_for_people(row) for row in rows], as_json=False, nothing="no senders")
    print("\nEach worker has breakers of its own: menshen_sms_breaker in /metrics shows them.")
    if not taken and any(row["receipt_path"] for row in rows):
        print("Receipts are not taken: [sms] receipts is false.")


async def _last_changes(here: Installation) -> Mapping[str, str]:
    """Return the last word of the audit on each sender: whether it went down, came back or reached its limit."""
    newest: dict[str, tuple[int, str]] = {}
    for tag, word in _CHANGES.items():
        for event in await here.store.read.audit.list_events(EventFilter(tag=tag), limit=1000):
            sender, _, code = event.reason.partition(":")
            if event.at >= newest.get(sender, (0, ""))[0]:
                newest[sender] = event.at, f"{word} {instant(event.at)} {code}".rstrip()
    return {sender: text for sender, (_, text) in newest.items()}


def _row(chosen: Chosen, terms: SenderTerms, day: SenderDay, change: str | None, path: str | None) -> dict[str, Any]:
    served = {template.purpose for template in terms.templates}
    return {
        "sender": chosen.name,
        "type": chosen.type,
        "countries": list(terms.countries),
        "purposes": [purpose for purpose in PURPOSES if purpose in served],
        "order": terms.order,
        "weight": terms.weight,
        "messages_today": day.messages,
        "per_day": terms.per_day or None,
        "cost_micros_today": day.cost_micros,
        "cost_per_day_micros": terms.cost_per_day_micros or None,
        "last_change": change,
        "receipt_path": path,
    }


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    every = len(row["purposes"]) == len(PURPOSES)
    return {
        "sender": row["sender"],
        "type": row["type"],
        "countries": " ".join(row["countries"]),
        "purposes": "all" if every else " ".join(row["purposes"]),
        "order": row["order"],
        "weight": row["weight"],
        "messages": _of(row["messages_today"], row["per_day"]),
        "cost_micros": _of(row["cost_micros_today"], row["cost_per_day_micros"]),
        "last_change": row["last_change"],
        "receipts": row["receipt_path"],
    }


def _of(used: int, most: int | None) -> str:
    return f"{used}" if most is None else f"{used}/{most}"


@cli.command()
@click.option("--to", metavar="NUMBER", required=True, help="The phone that gets the message.")
@click.option(
    "--sender", metavar="NAME", default="", show_default=False, help="The sender; by default as for a real code."
)
@click.option("--purpose", type=click.Choice(_CODES), default="login", help="What the code would be for.")
@click.option("--dry-run", is_flag=True, help="Send and charge nothing: print the request, with its secrets hidden.")
@common_options
def test(*, to: str, sender: str, purpose: str, dry_run: bool, data: Path, config: Path | None, as_json: bool) -> int:
    """Send a code that opens nothing through one sender, and say how that ended.

    It is charged to the number, the budgets and the sender, as a real one. Exit codes: 0 accepted, 1 rejected or not
    sent, 2 unknown.
    """
    number = parse_phone(to)
    if number is None:
        raise RefusedError(f"{to} is no phone number")
    template = next(one for one in Template if one.has_code and one.purpose == purpose)

    async def work(here: Installation) -> int:
        from menshen.app.settings.reader import policy_of
        from menshen.flows.admin.sms_senders import Untried, pick_sender

        chosen = {one.name: one for one in here.settings.sms.chosen}
        policy, terms = policy_of(here.settings), _terms_of_all(here)
        picked = pick_sender(terms, number, template, name=sender, policy=policy, world=here.world)
        if isinstance(picked, Untried):
            raise RefusedError(_sentence(picked, sender, number, purpose))
        if chosen[picked.name].type == _OUTBOX:
            raise RefusedError(f"sender {picked.name} is an outbox, which sends nothing: menshen outbox shows messages")
        if dry_run:
            return await _rehearse(here, chosen[picked.name], number, template, as_json=as_json)
        return await _try(here, chosen[picked.name], number, template, as_json=as_json)

    return with_installation(data, config, work)


def _terms_of_all(here: Installation) -> list[SenderTerms]:
    from menshen.app.settings.senders import terms_of

    return [terms_of(one) for one in here.settings.sms.chosen]


async def _try(here: Installation, chosen: Chosen, to: str, template: Template, *, as_json: bool) -> int:
    from menshen.adapters.outward.client import HttpOutward
    from menshen.app.parts.configured import sender_of
    from menshen.app.settings.reader import policy_of
    from menshen.app.settings.sections.outward import named_networks
    from menshen.app.settings.texts import texts_of
    from menshen.flows.admin.sms_senders import Untried, trial_handover, try_sender

    outward = HttpOutward(named_networks(here.settings.outward))
    try:
        trial = await try_sender(
            sender_of(chosen, outward),
            trial_handover(to, template, world=here.world, texts=texts_of(here.settings)),
            store=here.store,
            world=here.world,
            keyring=here.keyring,
            policy=policy_of(here.settings),
        )
    finally:
        await outward.close()
    if isinstance(trial, Untried):
        raise RefusedError(_sentence(trial, chosen.name, to, template.purpose))
    show_record(
        {
            "sender": chosen.name,
            "verdict": trial.verdict.value,
            "code": trial.code,
            "why": trial.why,
            "receipt": trial.receipt,
            "parts": trial.parts if trial.verdict is Verdict.ACCEPTED else None,
            "retry_after": trial.retry_after or None,
            "ms": trial.ms,
        },
        as_json=as_json,
    )
    return {Verdict.ACCEPTED: ACCEPTED, Verdict.UNKNOWN: UNKNOWN}.get(trial.verdict, REJECTED)


async def _rehearse(here: Installation, chosen: Chosen, to: str, template: Template, *, as_json: bool) -> int:
    from menshen.app.parts.configured import sender_of
    from menshen.app.settings.texts import texts_of
    from menshen.cli.sms.dry_run import RecordingOutward, hider_of, rehearse, shown_request
    from menshen.flows.admin.sms_senders import trial_handover

    outward = RecordingOutward()
    handover = trial_handover(to, template, world=here.world, texts=texts_of(here.settings))
    why = await rehearse(sender_of(chosen, outward).sender, handover)
    if not outward.requests:
        raise RefusedError(f"sender {chosen.name} makes no request: {why}")
    # A vendor may be given the address for its receipts.
    addresses = [here.keyring.receipt_secret(one.name) for one in here.settings.sms.chosen]
    hider = hider_of((chosen, here.settings), handover.message, addresses)
    requests = [shown_request(request, hider) for request in outward.requests]
    if as_json:
        show_json({"sender": chosen.name, "requests": requests})
        return ACCEPTED
    for request in requests:
        lines = [f"{request['method']} {request['url']}"]
        lines += [f"{name}: {value}" for name, value in request["headers"].items()]
        lines += ["", *request["body"].split("\n")] if request["body"] else []
        for line in lines:
            print("".join(c if c.isprintable() else "�" for c in line))
    return ACCEPTED


def _sentence(untried: Any, sender: str, to: str, purpose: str) -> str:
    """Return why a test message is not sent, in one sentence. Nothing was charged."""
    from menshen.flows.admin.sms_senders import Obstacle

    match untried.why:
        case Obstacle.NO_SUCH_SENDER:
            return f"there is no sender {sender}: menshen sms list shows them"
        case Obstacle.COUNTRY:
            return f"{to} is no mobile number in [sms] countries"
        case Obstacle.TEST_NUMBER:
            return f"{to} is one of [sms] test_numbers: nothing is sent to it"
        case Obstacle.UNSERVED:
            return f"{f'sender {sender} does not serve' if sender else 'no sender serves'} {to} for {purpose}"
        case Obstacle.QUOTA:
            return f"{to} got its codes: wait {untried.detail} s"
        case Obstacle.BUDGET:
            return f"the budget {untried.detail} of the day is spent: menshen sms-report shows it"
        case _:
            return f"sender {sender} is at its limit of the day"


@cli.command()
@click.argument("message", metavar="ID", help="The number in `menshen outbox`, or the vendor's receipt.  [required]")
@common_options
def receipt(message: str, *, data: Path, config: Path | None, as_json: bool) -> int:
    """Ask the vendor what became of a message, and note it as a receipt that the vendor pushes.

    Exit codes: 0 answered, 1 not asked or refused, 2 no answer that can be read.
    """

    async def work(here: Installation) -> tuple[int, dict[str, Any]]:
        stored = await _find(here, message)
        if stored is None:
            raise RefusedError(f"there is no message {message}")
        return await _ask(here, stored)

    code, record = with_installation(data, config, work)
    show_record(record, as_json=as_json)
    return code


async def _find(here: Installation, message: str) -> StoredMessage | None:
    """Return a message by its number, or by the number that the vendor of one of the senders gave it."""
    outbox = here.store.read.outbox
    if message.isascii() and message.isdigit() and len(message) <= 18 and (found := await outbox.get(int(message))):
        return found
    for chosen in here.settings.sms.chosen:
        if found := await outbox.find_receipt(chosen.name, message):
            return found
    return None


async def _ask(here: Installation, stored: StoredMessage) -> tuple[int, dict[str, Any]]:
    from menshen.adapters.outward.client import HttpOutward
    from menshen.app.parts.configured import sender_of
    from menshen.app.settings.sections.outward import named_networks
    from menshen.flows.admin.sms_senders import ask_about
    from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
    from menshen.ports.receipts import ReceiptAsker

    chosen = next((one for one in here.settings.sms.chosen if one.name == stored.sender), None)
    if chosen is None:
        raise RefusedError(f"message {stored.message_id} was handed over by no sender of the settings")
    if not stored.receipt:
        raise RefusedError(f"message {stored.message_id} has no receipt: its vendor gave it no number")
    if not stored.readable:
        raise RefusedError(f"message {stored.message_id} is opened by no key, and the vendor is asked by its receiver")
    outward = HttpOutward(named_networks(here.settings.outward))
    record: dict[str, Any] = {"id": stored.message_id, "sender": chosen.name, "receipt": stored.receipt}
    try:
        made = sender_of(chosen, outward)
        if not isinstance(made.sender, ReceiptAsker):
            raise RefusedError(f"sender {chosen.name} cannot be asked: {chosen.type} has no call for it")
        told = await ask_about(stored, made.sender, made.seconds, store=here.store, world=here.world)
    except DeliveryFailed as failed:
        return REJECTED, {**record, "told": None, "verdict": failed.verdict.value, "why": str(failed)}
    except DeliveryUnknown as unknown:
        return UNKNOWN, {**record, "told": None, "verdict": Verdict.UNKNOWN.value, "why": str(unknown)}
    finally:
        await outward.close()
    noted = await here.store.read.outbox.get(stored.message_id)
    says = outcome_text(delivered=told.delivered, code=told.code) if told else "nothing certain yet"
    return ACCEPTED, {**record, "told": says, "outcome": noted.outcome if noted else ""}
