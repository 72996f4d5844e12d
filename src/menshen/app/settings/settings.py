"""Hold everything that an installation may choose, as one frozen record of sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from menshen.adapters.storage.sql.engines.patience import USUAL, Patience
from menshen.app.settings.sections.captcha import Captcha
from menshen.app.settings.sections.email import Email
from menshen.app.settings.sections.limits import LimitSettings, Risk
from menshen.app.settings.sections.outward import Outward
from menshen.app.settings.sections.passkeys import Passkeys
from menshen.app.settings.sections.passwords import Hash, Password
from menshen.app.settings.sections.server import Audit, Log, Server
from menshen.app.settings.sections.sms import Sms
from menshen.app.settings.sections.storage import Keys, Storage
from menshen.app.settings.sections.texts import TextSettings
from menshen.core.findings import Finding
from menshen.core.gates.limits import Limits


class Settings(Struct, frozen=True, kw_only=True):
    """Hold the sections. `data_dir` comes from the command line, never from the file. `limits` is in core's units.

    `dialects` holds the sections of dialects, by their names. It has the given keys only. `notes` are warnings about
    the files that secrets were read from.
    """

    data_dir: Path
    server: Server = Server()
    storage: Storage = Storage()
    patience: Patience = USUAL
    keys: Keys = Keys()
    hash: Hash = Hash()
    limits: Limits = Limits()
    risk: Risk = Risk()
    sms: Sms = Sms()
    email: Email = Email()
    texts: TextSettings = TextSettings()
    outward: Outward = Outward()
    captcha: Captcha = Captcha()
    password: Password = Password()
    passkeys: Passkeys = Passkeys()
    audit: Audit = Audit()
    log: Log = Log()
    dialects: Mapping[str, Struct] = {}
    notes: tuple[Finding, ...] = ()

    @property
    def sqlite_path(self) -> Path | None:
        """Return the SQLite file, None on PostgreSQL."""
        if not self.storage.url:
            return self.data_dir / "menshen.db"
        if self.storage.url.startswith("sqlite:///"):
            return Path(self.storage.url.removeprefix("sqlite:///"))
        return None

    @property
    def keys_path(self) -> Path:
        """Return where keys.toml lies, when `keys.content` does not hold its text."""
        return Path(self.keys.file) if self.keys.file else self.data_dir / "keys.toml"


SECTIONS: Final[Mapping[str, type[Struct]]] = {
    field.name: LimitSettings if field.type is Limits else field.type
    for field in msgspec.structs.fields(Settings)
    if field.name not in {"data_dir", "dialects", "notes"}
}
"""What may be written in each section, by its name. Docs and the reader are made from it."""
