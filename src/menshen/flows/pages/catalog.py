"""List the use cases of hosted pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.outcomes import Done
from menshen.core.pages.form_keys import Submit
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import PageSettings
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.flows.pages.forms import finish_form, spend_form_key
from menshen.flows.pages.lookup import logo, pages_of
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFlows:
    """Find what apps say about their hosted pages, and spend the keys of forms."""

    of_app: Callable[[int], Awaitable[PageSettings]] = field(metadata=served_by(pages_of))
    """Id of an app -> the settings of its pages, from memory."""
    logo: Callable[[str], Awaitable[Logo | Denied]] = field(metadata=served_by(logo))
    """Digest -> the logo with that name. Denied: NOT_FOUND."""
    spend_form_key: Callable[[str, str, Origin], Awaitable[Submit | Denied]] = field(metadata=served_by(spend_form_key))
    """(key, what the form is about, origin) -> which submit of its form this is."""
    finish_form: Callable[[str, str, Origin], Awaitable[Done]] = field(metadata=served_by(finish_form))
    """(key, what the form is about, origin): the first submit did its work."""
