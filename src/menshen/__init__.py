"""Serve many login APIs over one account core: Menshen, a self-hosted login server (docs/ARCHITECTURE.md)."""

__version__ = "0.2.0"
