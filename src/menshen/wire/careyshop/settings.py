"""Define the section `[careyshop]` of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.findings import Finding, error


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold what clients expect of a shop, in neutral values, and how the dialect behaves."""

    user_level_id: Annotated[int, Meta(description="The id of the one level that users have.")] = 1
    user_level_name: Annotated[str, Meta(description="The name of that level.")] = "普通会员"
    user_level_icon: Annotated[str, Meta(description="The address of its icon.")] = ""
    user_level_discount: Annotated[int, Meta(description="Its discount in percent; 100 is the full price.")] = 100
    group_id: Annotated[int, Meta(description="The id of the one group that users are in.")] = 3
    group_name: Annotated[str, Meta(description="The name of that group.")] = "普通顾客"
    recorded_manners: Annotated[
        bool,
        Meta(
            description="Answers as CareyShop 1.3.1: XML unescaped, usernames as typed, a disabled app's appkey "
            "ignored where none is needed, no lost answer of a refresh given again. Allowed on loopback only."
        ),
    ] = False

    def find_problems(self, *, on_network: bool) -> Iterator[Finding]:
        """Find what the types cannot say. `on_network`: the server is reached from other machines."""
        if self.recorded_manners and on_network:
            text = (
                "is for comparing on this machine, and [server] host serves the network: its XML can be injected into"
            )
            yield error("recorded_manners", text)
