"""Provide the HTTP parts that all dialects share: bodies, cookies, addresses, refusals. Must not know accounts."""
