"""Manage accounts for operators, and report risk to them."""
