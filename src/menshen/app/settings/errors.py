"""Define the refusal of settings."""

from __future__ import annotations


class SettingsError(Exception):
    """Tell that the settings cannot be used, in one sentence that names the key and holds no secret."""
