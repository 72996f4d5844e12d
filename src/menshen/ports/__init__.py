"""Protocols with written contracts. Adapters fulfil them, flows use them, `menshen.testing` proves them."""
