"""Menshen, a self-hosted login server: many house styles over one account core (docs/ARCHITECTURE.md)."""
