"""Adapters that carry messages to people: one file to a way, each with what it needs in its constructor."""
