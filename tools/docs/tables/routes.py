"""The routes: who may make a call, which flow answers it, and which module holds it."""

from menshen.wire.dialect import Access
from tools.docs.endpoints import endpoints
from tools.docs.markdown import code, table


def render() -> str:
    """Give each endpoint, by dialect and access. `menshen routes` shows the lines too, which change with every edit."""
    order = [*Access]
    rows = [
        (code(f"{call.verb} {call.path}"), code(call.access), "" if call.flow == "-" else code(call.flow),
         code(call.module.removeprefix("menshen.")))
        for _, call in sorted(endpoints(), key=lambda found: (found[0], order.index(found[1].access)))
    ]  # fmt: skip
    return table(("call", "access", "flow", "module"), rows)
