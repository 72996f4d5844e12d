"""Provide `menshen app`."""
