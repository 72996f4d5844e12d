"""Define `[storage]` and `[keys]`: the places of accounts and keys. `[patience]` is the store's own record."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.app.settings.chosen import IS_PATH
from menshen.core.secret import Secret


class Storage(Struct, frozen=True, kw_only=True):
    """Choose the database."""

    url: Annotated[
        Secret,
        Meta(description="`sqlite:///…` or `postgresql://user@host/name`; empty: menshen.db in the data directory."),
    ] = Secret("")
    direct_url: Annotated[
        Secret,
        Meta(
            description="The PostgreSQL server's own address, where `url` leads to a pooler: for upgrades, and for the "
            "question what has ended. Empty takes `url`."
        ),
    ] = Secret("")
    pool_size: Annotated[int, Meta(ge=1, le=1000, description="PostgreSQL connections of one process.")] = 10


class Keys(Struct, frozen=True, kw_only=True):
    """Choose keys.toml: by its path, or by its text. Nodes that share a database share one."""

    file: Annotated[
        str, Meta(description="The path of keys.toml; empty: the one in the data directory.", extra=IS_PATH)
    ] = ""
    content: Annotated[Secret, Meta(description="The text of keys.toml, instead of the file.")] = Secret("")
