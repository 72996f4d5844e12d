"""`[server]`, `[audit]` and `[log]`: where it listens, what it holds at once, what it keeps and says."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Server(Struct, frozen=True, kw_only=True):
    """Set where it listens, what stands before it, and how it ends."""

    host: Annotated[str, Meta(description="The address or host name to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port to listen on; 0 takes a free one.")] = 8400
    workers: Annotated[int, Meta(ge=1, le=256, description="Processes on this machine.")] = 1
    trusted_proxies: Annotated[
        int,
        Meta(
            ge=0,
            le=16,
            description="Your own proxies in front of it. Only then X-Forwarded-For and X-Forwarded-Proto count.",
        ),
    ] = 0
    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of the default app, besides those that apps have themselves. "
            "Requests for other names get 421; `*` is any name."
        ),
    ] = ()
    connections: Annotated[int, Meta(ge=1, le=60_000, description="Connections of one worker; beyond: 503.")] = 4096
    connections_per_ip: Annotated[
        int,
        Meta(
            ge=1,
            le=60_000,
            description="Connections of one address, loopback apart. It counts where no proxy stands in front.",
        ),
    ] = 100
    requests: Annotated[
        int,
        Meta(
            ge=1,
            le=60_000,
            description="Requests worked on at once by one worker; beyond: 503, but token checks and health go on.",
        ),
    ] = 512
    cors_origins: Annotated[
        tuple[str, ...], Meta(description="Browser origins that may read answers, such as `https://shop.example`.")
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
            description="How long SIGTERM only makes /readyz say 503. Behind a balancer that asks it, "
            "choose more than the balancer takes to notice.",
        ),
    ] = 0
    drain_seconds: Annotated[int, Meta(ge=0, le=600, description="How long it then waits for answers under way.")] = 10
    outbox_on_network: Annotated[bool, Meta(description="Lets the outbox sender serve beyond loopback.")] = False


class Audit(Struct, frozen=True, kw_only=True):
    """Set how long audit events are kept."""

    days: Annotated[int, Meta(ge=1, le=36500, description="Days that audit events are kept.")] = 180


class Log(Struct, frozen=True, kw_only=True):
    """Set what the log tells."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The level from which the log is written.")
    ] = "info"
