"""Menshen, a self-hosted login server: many login APIs over one account core (docs/ARCHITECTURE.md)."""

__version__ = "0.2.0"
