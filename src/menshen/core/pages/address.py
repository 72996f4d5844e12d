"""Find the address of an app's pages, for links that are sent out.

It comes from what operators say, never from a request: a forged Host header would send people to a stranger's page.
"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.apps import DEFAULT_APP, App
from menshen.core.networks import is_loopback


def pages_address(app: App, hosts: Sequence[str]) -> str:
    """Return the address of an app's pages, such as "https://login.example", "" if there is no one name.

    It is the app's `host`. The app `default` without one has the only name in `hosts`, which are those of the settings.
    """
    named = [app.host] if app.host else [host for host in hosts if app.name == DEFAULT_APP and host != "*"]
    if len(named) != 1:
        return ""
    name = named[0]
    bare = name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
    return f"{'http' if is_loopback(bare) else 'https'}://{name}"
