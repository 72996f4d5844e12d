"""Implement captchas."""
