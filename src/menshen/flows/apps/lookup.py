"""Find the app of a request. Every call of every dialect does so first. (docs/contracts/core.md section 5.4.)"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.apps import DEFAULT_APP, App
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.apps import AppMemory
from menshen.ports.store.store import Store


@use_case(FlowKind.ROUTING, {ProblemCode.FORBIDDEN})
async def app_by_host(host: str, *, store: Store) -> App | Denied:
    """Return the app with this Host header as `host` (lower case, with port when given), else `default`.

    A request with a port belongs to the app whose `host` has none, so that a caller cannot leave that app's rules by
    adding one. `serves_host` decides before whether the name is served at all.
    Denied: FORBIDDEN, for a disabled app.

    Raises:
        Problem: UNAVAILABLE, if there is no app named default.
    """
    apps = store.read.apps
    app = await apps.find_by_host(host)
    if app is None and ":" in host:
        app = await apps.find_by_host(_without_port(host))
    app = app or await apps.find_by_name(DEFAULT_APP)
    if app is None:
        raise Problem(ProblemCode.UNAVAILABLE, "no app named default")
    return _unless_disabled(app)


@use_case(FlowKind.ROUTING)
async def serves_host(host: str, *, store: Store, policy: Policy) -> bool:
    """Check whether this installation serves the Host header (lower case, with port when given).

    It does if an app has it as `host`, or if the settings list it (with or without port).
    """
    names = policy.hosts
    if "*" in names or host in names or host.partition(":")[0] in names:
        return True
    return await store.read.apps.find_by_host(host) is not None


@use_case(FlowKind.ROUTING)
async def list_apps(*, store: Store) -> Sequence[App]:
    """Return all apps, disabled ones too."""
    return await store.read.apps.list_all()


@use_case(FlowKind.ROUTING)
def recall_apps(*, app_memory: AppMemory) -> Sequence[App] | None:
    """Return what `list_apps` would, without waiting, and the same object until it is read again. None: not known."""
    return app_memory.recall()


@use_case(FlowKind.ROUTING, {ProblemCode.FORBIDDEN, ProblemCode.NOT_FOUND})
async def app_by_key(appkey: str, *, store: Store) -> App | Denied:
    """Return the app of an appkey. Denied: NOT_FOUND, or FORBIDDEN for a disabled app."""
    app = await store.read.apps.find_by_key(appkey)
    return Denied(ProblemCode.NOT_FOUND) if app is None else _unless_disabled(app)


def _unless_disabled(app: App) -> App | Denied:
    """Return the app, or Denied FORBIDDEN. No call of any dialect continues without an app: this check is enough."""
    return Denied(ProblemCode.FORBIDDEN) if app.disabled else app


def _without_port(host: str) -> str:
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
