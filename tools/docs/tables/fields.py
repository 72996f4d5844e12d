"""The fields of an account: who reads them in an answer, and who writes them by a call."""

from __future__ import annotations

from menshen.wire.careyshop.calls.profile import _EDITABLE
from menshen.wire.weidu.calls.profile import UpdateRequest
from menshen.wire.weidu.records import PublicInfo, UserInfo
from tools.docs.markdown import codes, table


def render() -> str:
    """Give the fields in groups of the same rights."""
    by_shop = [target for target, _ in _EDITABLE.values()]
    names = dict.fromkeys([*UserInfo.__struct_fields__, *by_shop, *sorted(UpdateRequest.server_fields)])
    groups: dict[tuple[str, str], list[str]] = {}
    for name in names:
        groups.setdefault((_reader(name), _writer(name, by_shop)), []).append(name)
    return table(
        ("field", "who reads it", "who writes it"), [(codes(names), *rights) for rights, names in groups.items()]
    )


def _reader(name: str) -> str:
    if name in PublicInfo.__struct_fields__:
        return "everybody who is logged in"
    if name in UserInfo.__struct_fields__:
        return "the owner"
    return "nobody" if name in UpdateRequest.server_fields else "the owner, at CareyShop's calls"


def _writer(name: str, by_shop: list[str]) -> str:
    if name in UpdateRequest.__struct_fields__:
        return "the owner"
    if name in by_shop:
        return "the owner, at CareyShop's calls"
    assert name in UpdateRequest.server_fields, f"nothing says who writes {name}"
    return "the server; an edit that names it is refused"
