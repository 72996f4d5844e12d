"""Test `menshen.ports.store.sessions`: how sessions begin, what is kept of a new pair, and how they end."""
