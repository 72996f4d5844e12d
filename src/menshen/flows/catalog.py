"""List every use case by subject, with its ports bound. The wire sees only `Flows`.

To add a use case, write a function in the subject's folder, and a field with its name in the subject's `catalog.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import get_type_hints

from menshen.core.policy import Policy
from menshen.core.time import Instant
from menshen.flows.account.catalog import AccountFlows
from menshen.flows.apps.catalog import AppFlows
from menshen.flows.codes.catalog import CodeFlows
from menshen.flows.factors.catalog import FactorFlows
from menshen.flows.gates.catalog import CaptchaFlows
from menshen.flows.login.catalog import LoginFlows
from menshen.flows.pages.catalog import PageFlows
from menshen.flows.sessions.catalog import SessionFlows
from menshen.flows.use_case import UseCase, flows_of, use_case_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Hold the use cases. Each returns its outcome; refusals are `Denied`, broken preconditions raise `Problem`.

    `use_cases` lists the refusals of each one.
    """

    policy: Policy
    now: Callable[[], Instant]
    csrf_fits: Callable[[str, str], bool]
    """(session_id, presented) -> whether `presented` is the session's CSRF value. It is compared in constant time."""
    page_value: Callable[..., str]
    """(parts of a form, or of what a browser keeps) -> the value that binds them to this installation."""
    page_value_fits: Callable[..., bool]
    """(presented, the same parts) -> whether it is that value. It is compared in constant time."""
    ready: Callable[[], Awaitable[bool]]
    """Check whether the database accepts writes."""
    clock_lead: Callable[[], int] = lambda: 0
    """How far this machine's clock is from what is certain (ms, 0: within the bound)."""
    apps: AppFlows
    sessions: SessionFlows
    login: LoginFlows
    codes: CodeFlows
    captcha: CaptchaFlows
    account: AccountFlows
    factors: FactorFlows
    pages: PageFlows


def use_cases() -> Mapping[str, UseCase]:
    """Return the description of every use case by its name, such as `login.password`."""
    return {
        f"{subject}.{name}": use_case_of(flow)
        for subject, kind in get_type_hints(Flows).items()
        if isinstance(kind, type) and is_dataclass(kind)
        for name, flow in flows_of(kind).items()
    }
