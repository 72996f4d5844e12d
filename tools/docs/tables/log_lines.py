"""The lines of the log."""

from __future__ import annotations

import ast
from typing import Final

from tools.docs.markdown import code, codes, table
from tools.docs.sources import source_files

WHEN: Final = {
    "message.failed": "A sender did not accept a message, or nobody knows. It holds channel, sender, result, reason, "
    "number of tries, the message's number in the outbox, and the count of this hour.",
    "captcha.unanswered": "A captcha vendor gave no verdict about a token, or was not asked. It holds vendor, type, "
    "result, reason, and the count of this hour.",
    "request.refused": "A dialect, the token check, the check of hosts or the address for receipts refused a request. "
    "It holds dialect (or `verify`, `host`, `receipts`), reason, address, the count of this hour, and the "
    "`X-Request-Id` of the answer.",
    "message.dropped": "A message ended without a try that could have sent it: `result` and `why` say how it ended.",
    "clock.doubted": "This machine's clock may be wrong: nothing is swept or ended by it. It holds by how many seconds "
    "it is away from what is certain; one line a minute.",
    "clock.believed_again": "The clock is within the bound again.",
    "weidu.problem": "A weidu call was refused by something that is away.",
    "pages.problem": "A hosted page was refused by something that is away.",
    "pages.internal": "A hosted page broke; the line holds type and place.",
    "dialect.internal": "A call of another dialect broke; the line holds dialect and type.",
    "weidu.internal": "A weidu call broke; the line holds type and place.",
    "unhandled": "A CareyShop call broke; the line holds type and place.",
    "background.unavailable": "A task of the background cannot work, because something is away.",
    "background.fault": "A task of the background broke.",
    "delivery.finishing": "The server ends, and waits for the senders that have a message at this moment. It holds how "
    "many messages.",
    "database.unavailable": "The database is away; the server answers 503. It holds a sentence that says why.",
    "database.available": "The database is back.",
    "revocations.silent": "The database does not confirm what is remembered: no check is answered from memory. "
    "It holds a sentence that says why.",
    "revocations.heard_again": "The database confirms what is remembered again.",
    "worker.died": "A worker ended that should not; another takes its place.",
    "worker.failed": "A worker could not start.",
    "start.failed": "The server could not start.",
    "listening": "The server takes requests.",
    "stopped": "The server is down.",
    "settings.odd": "A warning of `menshen check`, at start.",
}
"""When each line is written. A line that the code writes and this table lacks stops `make docs`."""

_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
_LOGGERS: Final = frozenset({"log", "_log", "logger"})


def render() -> str:
    """Give each line with its levels and what it tells. WHEN and the code must name the same."""
    levels: dict[str, set[str]] = {}
    for _, text in source_files():
        for name, level in lines_of(text):
            levels.setdefault(name, set()).add(level)
    check_lines(levels)
    return table(
        ("line", "level", "when"), [(code(name), codes(sorted(levels[name])), when) for name, when in WHEN.items()]
    )


def check_lines(written: dict[str, set[str]]) -> None:
    """Refuse a line without a sentence, and a sentence without a line."""
    new = written.keys() - WHEN.keys()
    assert not new, f"say in {__name__}.WHEN when these lines are written: {sorted(new)}"
    gone = WHEN.keys() - written.keys()
    assert not gone, f"nothing writes {sorted(gone)} any more: take it out of {__name__}.WHEN"


def lines_of(source: str) -> set[tuple[str, str]]:
    """Find (event, level) of the lines that a module writes. An event must be a word of the program."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _LEVELS:
            continue
        if isinstance(by := node.func.value, ast.Name) and by.id in _LOGGERS:
            assert node.args, f"line {node.lineno}: a line of the log without an event"
            event = node.args[0]
            assert isinstance(event, ast.Constant), f"line {node.lineno}: the event is not a word of the program"
            found.add((str(event.value), node.func.attr))
    return found
