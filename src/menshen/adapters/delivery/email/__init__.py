"""Senders of email."""
