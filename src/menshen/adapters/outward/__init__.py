"""Implement `menshen.ports.outward`: the HTTP client, and the guard of the addresses that it may reach."""
