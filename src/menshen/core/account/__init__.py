"""Accounts, and what may be asked about them."""
