"""Define the refusal of settings."""

from __future__ import annotations


class SettingsError(Exception):
    """Report that the settings cannot be used: one sentence that names the key, and holds no secret."""
