"""Define how settings are refused."""

from __future__ import annotations


class SettingsError(Exception):
    """Tell that the settings cannot be used, in one sentence that names the key and holds no secret."""
