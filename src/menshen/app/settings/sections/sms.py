"""Define `[sms]`: the senders of text messages, and the allowed receivers."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from menshen.app.settings.chosen import Chosen, chooses, outbox_of
from menshen.core.policy import Policy
from menshen.core.secret import Secret


class TestNumberSettings(Struct, frozen=True, kw_only=True):
    """Hold the number of an app reviewer."""

    __test__ = False  # a record, not a test

    code: Annotated[Secret, Meta(description="Its fixed code: six digits.")]
    until: Annotated[date, Meta(description="The last day (UTC) on which the code is valid.")]


class Sms(Struct, frozen=True, kw_only=True):
    """Choose one sender, by `sender`, or by a table `[[sms.senders]]`."""

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
            description="The sender as a table, instead of `sender`: its `name`, its `type` and the type's own keys.",
            extra=chooses("sms"),
        ),
    ] = ()
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
