"""Define the call that a page's handler gets: the request, what the browser keeps, and the flows it may use.

It must not know the paths, nor how an answer is sent. (docs/contracts/pages.md sections 2 and 3.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from msgspec import structs

from menshen.core.apps import App, SessionRule
from menshen.core.pages.settings import PageSettings
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import SLIDING
from menshen.core.time import SECOND, Instant, after
from menshen.core.tokens import TOKEN_BYTES, TokenStyle, base32
from menshen.flows.catalog import Flows
from menshen.wire.dialect import Dialect, DialectContext
from menshen.wire.pages.answers import Page, SeeOther
from menshen.wire.pages.look.words import Words
from menshen.wire.pages.request import cookies, kept
from menshen.wire.pages.request.returning import origin_of, safe_next

RULES: Final = DialectRules("pages", TokenStyle.BASE32, SLIDING, SessionRule.MANY)
"""Sessions that the pages open for themselves. An app of `session = cookies` gets those of its dialect instead."""

_FORM: Final = "form"
HOME: Final = "/account"
"""Where a login leads that came from nowhere."""


@dataclass(slots=True, kw_only=True)
class Call:
    """Hold one request.

    `path` is the path as it came, `query` and `form` its fields. `browser` is the random name of the browser. `agent`
    is the User-Agent header, cut. `caller` is the person who is logged in, None without one. `dialect` is whose cookies
    a login gets beside the session of the pages, None for none. `jar` collects the cookies that the answer sets, and
    `kept` is what the browser keeps for the next page.
    """

    context: DialectContext
    origin: Origin
    settings: PageSettings
    host: str
    secure: bool
    verb: str
    path: str
    resource: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    jar: cookies.Jar
    browser: str
    words: Words
    theme: str
    agent: str = ""
    takes_gzip: bool = False
    caller: Authenticated | None = None
    dialect: Dialect | None = None
    kept: kept.Kept = field(default_factory=kept.Kept)

    @property
    def flows(self) -> Flows:
        """Return the flows."""
        return self.context.flows

    @property
    def app(self) -> App:
        """Return the app that the request belongs to."""
        return self.origin.app

    @property
    def app_name(self) -> str:
        """Return the name of the app as people know it."""
        return self.settings.name(self.words.tag) or self.words("page.this_site")

    @property
    def now(self) -> Instant:
        """Return the instant of the request."""
        return self.flows.now()

    @property
    def member(self) -> Authenticated:
        """Return who is logged in. Only handlers of private pages ask."""
        if self.caller is None:
            raise LookupError("a public page asked who is logged in")
        return self.caller

    @property
    def next(self) -> str:
        """Return where the person wants to go afterwards, "" for nowhere in particular. It is safe to redirect to."""
        given = self.form.get("next") or self.query.get("next", "")
        return safe_next(given, self.settings.page_origins)

    @property
    def leads_to(self) -> tuple[str, ...]:
        """Return the foreign origin of `next`, to which a form of the page may redirect; () for none."""
        origin = origin_of(self.next)
        return (origin,) if origin else ()

    @property
    def csrf(self) -> str:
        """Return the value that each form of this browser carries."""
        return self.flows.page_value(_FORM, self.browser)

    def form_fits(self) -> bool:
        """Return whether the form came from a page that this browser was given."""
        given = self.form.get("csrf", "")
        return bool(self.browser) and self.flows.page_value_fits(given, _FORM, self.browser)

    def field(self, name: str, most: int = 256) -> str:
        """Return a field of the form, "" for none and for one that is too long."""
        value = self.form.get(name, "")
        return value if len(value) <= most else ""

    def keep(self, **changes: Any) -> None:
        """Change what the browser keeps for the next page. It is written with the answer."""
        self.kept = structs.replace(self.kept, **changes)

    def random_name(self) -> str:
        """Return a random name of 26 characters."""
        return base32(self.context.token_bytes(TOKEN_BYTES))

    def again_at(self, seconds: int) -> Instant:
        """Return the instant so many seconds from now."""
        return after(self.now, seconds * SECOND)

    def link(self, path: str, **fields: str) -> str:
        """Return the address of a page, with fields that are not "". `next` comes along by itself."""
        fields = {"next": self.next, **fields}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items() if value)
        return f"{path}?{query}" if query else path

    def page(self, template: str, *, error: Denied | None = None, wrong: str = "", **values: Any) -> Page:
        """Return a page. `error` is shown above the form, and `wrong` names the field that gets the focus."""
        said = self.words.problem(error) if error else ""
        return Page(template, {**values, "error": said, "wrong": wrong}, leads_to=self.leads_to)

    def go(self, path: str, said: str = "", **fields: str) -> SeeOther:
        """Return a redirect to a page of ours. `said` is the id of a sentence that it shows once."""
        if said:
            self.keep(said=said)
        return SeeOther(self.link(path, **fields))


def invalid(field: str) -> Denied:
    """Return the refusal of a field that is missing or has no such form."""
    return Denied(ProblemCode.INVALID_REQUEST, field=field)
