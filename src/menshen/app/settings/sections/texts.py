"""Define `[texts]`: the words of messages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.app.settings.chosen import IS_PATH


class TextSettings(Struct, frozen=True, kw_only=True):
    """Set what messages say."""

    product: Annotated[
        str,
        Meta(
            description="The name of the product in messages. Text messages to +86 begin with 【product】 where a "
            "sender sends the text itself."
        ),
    ] = ""
    folder: Annotated[
        str,
        Meta(
            description="A folder with texts of your own: `en.toml` and `zh-CN.toml` for all apps, `APP.en.toml` and "
            "`APP.zh-CN.toml` for one app.",
            extra=IS_PATH,
        ),
    ] = ""
