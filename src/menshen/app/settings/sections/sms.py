"""Define `[sms]`: the senders of text messages, and the allowed receivers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from menshen.app.settings.chosen import Chosen, chooses, outbox_of
from menshen.core.delivery.senders import EVERY_OTHER
from menshen.core.policy import Policy
from menshen.core.secret import Secret


class TestNumberSettings(Struct, frozen=True, kw_only=True):
    """Hold the number of an app reviewer."""

    __test__ = False  # a record, not a test

    code: Annotated[Secret, Meta(description="Its fixed code: six digits.")]
    until: Annotated[date, Meta(description="The last day (UTC) on which the code is valid.")]


class SenderKeys(Struct, frozen=True, kw_only=True):
    """Hold the keys that the tables of all senders share."""

    countries: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^(\*|\+[1-9][0-9]{0,3})$")], ...],
        Meta(description="Prefixes of the numbers that it serves, the longest wins; `*` is every other."),
    ] = (EVERY_OTHER,)
    purposes: Annotated[
        tuple[Literal["login", "signup", "reset", "bind", "proof", "verify", "notice"], ...],
        Meta(description="What it sends: purposes of codes, and `notice`. Empty: everything."),
    ] = ()
    order: Annotated[
        int, Meta(ge=0, le=1000, description="The lowest is asked first; others follow where it took nothing.")
    ] = 1
    weight: Annotated[int, Meta(ge=0, le=10**6, description="The share among senders of the same `order`.")] = 100
    per_day: Annotated[int, Meta(ge=0, le=10**9, description="Messages a day (UTC) on all nodes; 0: no limit.")] = 0
    cost_micros: Annotated[
        int, Meta(ge=0, le=10**12, description="What one part costs, in millionths of your currency.")
    ] = 0
    cost_per_day_micros: Annotated[
        int, Meta(ge=0, le=10**15, description="What a day (UTC) may cost, in the same unit; 0: no limit.")
    ] = 0


class Sms(Struct, frozen=True, kw_only=True):
    """Choose one sender, by `sender`, or several, by tables `[[sms.senders]]`."""

    sender: Annotated[
        Chosen,
        Meta(
            description="The type of the sender. Its own keys stand beside it as `<type>_<key>`.",
            extra=chooses("sms"),
        ),
    ] = outbox_of("sms")
    senders: Annotated[
        tuple[Chosen, ...],
        Meta(
            description="The senders as tables, instead of `sender`: `name`, `type`, the keys that all share, and "
            "the type's own keys.",
            extra=chooses("sms", SenderKeys),
        ),
    ] = ()
    give_up_seconds: Annotated[
        int, Meta(ge=10, le=300, description="A code that was not handed over by then is not sent any more.")
    ] = 120
    receipts: Annotated[
        bool, Meta(description="Takes the receipts that vendors push, at the paths that `menshen sms list` shows.")
    ] = False
    countries: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{0,3}$")], ...],
        Meta(description="Prefixes of the numbers that codes may be sent to."),
    ] = Policy().sms_countries
    country_budgets: Annotated[
        dict[str, Annotated[int, Meta(ge=0, le=10**9)]],
        Meta(description="Codes a day by prefix, instead of `[limits] send_budget_per_country`."),
    ] = {}
    test_numbers: Annotated[
        dict[str, TestNumberSettings], Meta(description="Numbers of app reviewers, each with a fixed code.")
    ] = {}

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        """Return the senders in the form in which the settings give them: tables, or one type."""
        return self.senders or (self.sender,)
