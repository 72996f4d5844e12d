"""How settings are refused."""

from __future__ import annotations


class SettingsError(Exception):
    """The settings cannot be used: one sentence that names the key, and holds no secret."""
