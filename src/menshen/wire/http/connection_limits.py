"""Define the limits of the connections of one worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Hold the limits of one worker. Times in seconds, sizes in bytes.

    `per_address` 0 sets no limit, as behind a proxy. At shutdown, idle connections stay open for `farewell_seconds`.
    After the last answer, what a client still sends is read and dropped for `linger_seconds` and `linger_bytes`.
    """

    connections: int = 4096
    per_address: int = 100
    requests: int = 512
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    write_seconds: float = 15.0
    farewell_seconds: float = 0.5
    linger_seconds: float = 2.0
    linger_bytes: int = 8 * 1024 * 1024
    head_bytes: int = 32 * 1024
    headers: int = 100
    ahead: int = 16
    """Requests of one connection that may wait for earlier answers: one read of 64 KiB could hold thousands."""
