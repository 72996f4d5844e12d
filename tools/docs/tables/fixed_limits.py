"""The limits that no setting changes."""

from __future__ import annotations

from typing import Final

from tools.docs.markdown import code, duration, number, table
from tools.docs.sources import constant_doc, value_of

SHOWN: Final = (
    "core.codes.one_time_codes.TRIES",
    "core.codes.one_time_codes.DIGITS",
    "core.gates.risk.CAPTCHA_AT",
    "core.gates.risk.HARDEST",
    "core.gates.risk.MANY_ACCOUNTS",
    "core.codes.sms_traffic.PUMPED_DIFFICULTY",
    "core.sessions.sessions.MAX_SESSIONS",
    "core.gates.members.SPENT_KEPT",
    "core.audit.export.EVENTS_MOST",
    "core.audit.export.SESSIONS_MOST",
    "flows.login.finish._MOST_PLATFORMS",
    "flows.gates.password_policy.DEFAULT_PASSWORD_MIN",
    "wire.careyshop.call.PASSWORD_MIN",
    "core.login.passwords.MAX_BYTES",
    "wire.http.body.BODY_LIMIT",
    "wire.careyshop.batch.MAX_ITEMS",
    "flows.audit.recording.REFUSALS_KEPT",
    "core.line_budget.LINES_AN_HOUR",
    "app.telemetry.logs._MOST_TEXT",
    "app.keys_file._SECRET_BYTES",
    "adapters.storage.sql.repositories.upkeep.OUTBOX_MEMORY",
)
"""Constants that an assessor asks for. Each has a docstring; "(ms)" in it marks a span of time."""


def render() -> str:
    """Give each limit with its value and its docstring."""
    rows = []
    for place in SHOWN:
        module, name, value = value_of(f"menshen.{place}")
        meaning = constant_doc(module, name)
        shown = duration(value) if "(ms)" in meaning else number(value)
        rows.append((code(place), shown, meaning.replace(" (ms)", "")))
    return table(("constant", "value", "meaning"), rows)
