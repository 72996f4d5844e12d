"""Leave text messages in the outbox."""

from menshen.adapters.delivery.outbox import Settings, build

__all__ = ["Settings", "build"]
