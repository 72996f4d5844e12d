"""Define `[shop]` and `[careyshop]`: the settings that only CareyShop's dialect needs."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from menshen.core.policy import Policy, Shop

_SHOP: Final = Shop()


class ShopSettings(Struct, frozen=True, kw_only=True):
    """Hold neutral values of the shop fields that CareyShop clients expect."""

    user_level_id: Annotated[int, Meta(description="The id of the one level that users have.")] = _SHOP.user_level_id
    user_level_name: Annotated[str, Meta(description="The name of that level.")] = _SHOP.user_level_name
    user_level_icon: Annotated[str, Meta(description="The address of its icon.")] = _SHOP.user_level_icon
    user_level_discount: Annotated[int, Meta(description="Its discount in percent; 100 is the full price.")] = (
        _SHOP.user_level_discount
    )
    group_id: Annotated[int, Meta(description="The id of the one group that users are in.")] = _SHOP.group_id
    group_name: Annotated[str, Meta(description="The name of that group.")] = _SHOP.group_name


class CareyshopSettings(Struct, frozen=True, kw_only=True):
    """Choose how the dialect behaves."""

    recorded_manners: Annotated[
        bool,
        Meta(description="Answers as CareyShop 1.3.1: XML unescaped, usernames as typed. Allowed on loopback only."),
    ] = Policy().recorded_manners
