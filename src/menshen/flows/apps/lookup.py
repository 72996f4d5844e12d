"""Which app is speaking. (docs/contracts/core.md section 5.4.)"""

from __future__ import annotations

from menshen.core.apps import DEFAULT_APP, App
from menshen.core.policy import Policy
from menshen.core.problems import Problem, ProblemCode
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store


@use_case(FlowKind.ROUTING)
async def app_by_host(host: str, *, store: Store) -> App:
    """The app whose `host` this Host header is (lower case, with port when given), else `default`.

    Raises:
        Problem: UNAVAILABLE, when there is no app named default.
    """
    app = await store.read.apps.find_by_host(host) or await store.read.apps.find_by_name(DEFAULT_APP)
    if app is None:
        raise Problem(ProblemCode.UNAVAILABLE, "no app named default")
    return app


@use_case(FlowKind.ROUTING)
async def serves_host(host: str, *, store: Store, policy: Policy) -> bool:
    """Whether requests under this Host header (lower case, with port when given) are for an app of ours.

    Those that an app names, and those of the settings (with or without port).
    """
    names = policy.hosts
    if "*" in names or host in names or host.partition(":")[0] in names:
        return True
    return await store.read.apps.find_by_host(host) is not None


@use_case(FlowKind.ROUTING)
async def app_by_key(appkey: str, *, store: Store) -> App | None:
    """The app of an appkey, also a disabled one."""
    return await store.read.apps.find_by_key(appkey)
