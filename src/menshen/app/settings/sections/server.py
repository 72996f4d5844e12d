"""Define `[server]`, `[audit]` and `[log]`: listening, bounds, retention and the log."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Server(Struct, frozen=True, kw_only=True):
    """Set where it listens, what stands before it, and how it ends."""

    host: Annotated[str, Meta(description="The address or host name to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port to listen on; 0 takes a free one.")] = 8400
    workers: Annotated[int, Meta(ge=1, le=256, description="Number of worker processes.")] = 1
    trusted_proxies: Annotated[
        int,
        Meta(
            ge=0,
            le=16,
            description="Number of your own proxies. At 0, X-Forwarded-For and X-Forwarded-Proto are ignored.",
        ),
    ] = 0
    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Host names of the default app. Other apps have their own. "
            "Requests for other names get 421; `*` allows any name."
        ),
    ] = ()
    connections: Annotated[
        int, Meta(ge=1, le=60_000, description="Maximum connections of one worker. Further ones get 503.")
    ] = 4096
    connections_per_ip: Annotated[
        int,
        Meta(
            ge=1,
            le=60_000,
            description="Maximum connections of one address, except loopback. Applies without a proxy only. "
            "An IPv6 /64 counts as one address, a /56 gets four times as many, a /48 sixteen times.",
        ),
    ] = 100
    requests: Annotated[
        int,
        Meta(
            ge=1,
            le=60_000,
            description="Maximum requests of one worker at once. Further ones get 503, except token checks and health.",
        ),
    ] = 512
    keep_alive_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="How long an idle connection stays open. A balancer often keeps it for 60 s: choose more. "
            "Else it sends a request into a connection that closes, and answers 502.",
        ),
    ] = 15
    cors_origins: Annotated[
        tuple[str, ...],
        Meta(
            description="Browser origins that may read answers, such as `https://shop.example`, and those of apps' web "
            "views, such as `capacitor://localhost`."
        ),
    ] = ()
    cors_headers: Annotated[
        tuple[str, ...],
        Meta(
            description="Further request headers that pages of these origins may send. Those of the APIs, of tracing "
            "and of common client libraries are allowed already."
        ),
    ] = ()
    metrics_networks: Annotated[
        tuple[str, ...], Meta(description="Networks besides loopback that may read /metrics.")
    ] = ()
    dialects: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of the dialects to serve, as `menshen routes` shows them. "
            "Empty serves all but the specimen."
        ),
    ] = ()
    notice_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=600,
            description="How long after SIGTERM only /readyz changes: it answers 503. Behind a balancer that asks it, "
            "choose more time than the balancer needs to notice.",
        ),
    ] = 0
    drain_seconds: Annotated[
        int, Meta(ge=0, le=600, description="How long the server then waits for unfinished answers.")
    ] = 10
    outbox_on_network: Annotated[bool, Meta(description="Allows the outbox sender beyond loopback.")] = False


class Audit(Struct, frozen=True, kw_only=True):
    """Set how long audit events are kept."""

    days: Annotated[int, Meta(ge=1, le=36500, description="Days for which audit events are kept.")] = 180


class Log(Struct, frozen=True, kw_only=True):
    """Set what the log tells."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The lowest level that is logged.")
    ] = "info"
