"""Readers of other programs' data."""
