"""The life-times that `core` fixes: its constants of whole seconds, and those of sessions."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from menshen.core import time
from menshen.core.sessions.sessions import Lifetimes
from menshen.core.time import SECOND
from tools.docs.markdown import code, duration, table
from tools.docs.sources import constant_doc, imported_names, modules
from tools.docs.tables import fixed_limits


def render() -> str:
    """Give each span with its constant and its docstring."""
    rows = [row for module in modules("menshen.core") if module is not time for row in spans_of(module)]
    return table(("constant", "value", "meaning"), rows)


def spans_of(module: ModuleType) -> Iterator[tuple[str, str, str]]:
    """Find the spans that a module defines. A constant of milliseconds is known by whole seconds.

    A number that stands in the table of fixed limits is none.
    """
    imported = imported_names(module)
    for name, value in vars(module).items():
        place = f"{module.__name__.removeprefix('menshen.')}.{name}"
        if (
            name.startswith("_")
            or not name.isupper()
            or name in imported
            or hasattr(time, name)
            or place in fixed_limits.SHOWN
        ):
            continue
        if isinstance(value, Lifetimes):
            spans = {"idle": value.idle, "absolute": value.absolute, "refresh": value.refresh}
            shown = ", ".join(f"{kind} {duration(ms)}" for kind, ms in spans.items() if ms)
        elif isinstance(value, int) and value >= SECOND and value % SECOND == 0:
            shown = duration(value)
        else:
            continue
        yield code(place), shown, constant_doc(module, name).replace(" (ms)", "")
