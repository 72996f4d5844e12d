"""Write the log: one JSON object a line on stderr, for this program and its libraries.

An exception is logged by type and place, never by its text, which may quote a request. Only a `Problem` is logged with
its detail, which is written for the log. JSON escapes control characters, so no line can be forged.
(docs/security/attacks.md IN-4.)
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import PurePath
from typing import Any

from menshen.app.structured import structlog
from menshen.core.problems import Problem

_MOST_FRAMES = 12
_MOST_TEXT = 500
"""Longest text in a line of the log, in characters; the rest is cut off."""


def configure_logs(level: str) -> None:
    """Write all events of `level` (debug, info, warning, error) and above to stderr."""
    added: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        describe_exception,
    ]
    structlog.configure(
        processors=[*added, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=added,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                shorten,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # This program's own events already report start and stop.
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel("DEBUG" if level == "debug" else "WARNING" if level != "error" else "ERROR")
    # It warns of every malformed form, so a client could fill the log.
    logging.getLogger("python_multipart").setLevel("ERROR")


def describe_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type, place and cause."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if info is True:
        error = sys.exc_info()[1]
    if error is not None:
        event["error"] = _named(error)
        event["where"] = [
            f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        ]
        if (cause := error.__cause__ or error.__context__) is not None:
            event["cause"] = _named(cause)
    return event


def shorten(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut long texts, so that a client's input cannot fill the disk."""
    for key, value in event.items():
        if isinstance(value, str) and len(value) > _MOST_TEXT:
            event[key] = value[:_MOST_TEXT] + "…"
    return event


def _named(error: BaseException) -> str:
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{name}: {error}" if isinstance(error, Problem) else name
