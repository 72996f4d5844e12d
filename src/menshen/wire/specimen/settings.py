"""Define the section `[specimen]` of the settings."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold what an operator may choose for this dialect."""

    language: Annotated[
        Literal["zh", "en"], Meta(description="Language of refusals when Accept-Language names neither.")
    ] = "en"
