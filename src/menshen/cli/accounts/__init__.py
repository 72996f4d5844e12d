"""Provide `menshen account`."""
