"""Visit pages as a browser without scripts does: it keeps cookies, reads and posts forms, and follows redirects."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

VOID = {"input", "img", "meta", "link", "br"}


@dataclass
class Form:
    """Hold one form of a page: where it goes, its fields as they stand, and its inputs with their attributes."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Seen:
    """Hold what is on a page: its forms, links and alerts, and all of its text."""

    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    text: str = ""


class _Reader(HTMLParser):
    """Read a page into `seen`."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()
        self._path: list[tuple[str, dict[str, str]]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._path.append((tag, given))
        if tag == "form":
            self.seen.forms.append(Form(given.get("action", "")))
        if tag == "a" and "href" in given:
            self.seen.links.append(given["href"])
        for kind, told in self._told(tag, given):
            if kind:
                told.append("")
        if any(opened == "form" for opened, _ in self._path):
            self._field(self.seen.forms[-1], tag, given)

    def _told(self, tag: str, given: dict[str, str]) -> list[tuple[bool, list[str]]]:
        role = given.get("role")
        return [
            (role == "alert", self.seen.alerts),
            (role == "status", self.seen.notes),
            (tag == "h1", self.seen.headings),
        ]

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "button":
            form.buttons.append(given)
        elif tag == "select":
            self._select = name
            form.inputs[name] = given
        elif tag == "input" and name:
            form.inputs[name] = given
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        while self._path and self._path.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.seen.text += data
        for tag, given in self._path:
            for kind, told in self._told(tag, given):
                if kind:
                    told[-1] += data
        if self._path and self._path[-1][0] == "option":
            fields, given = self.seen.forms[-1].fields, self._path[-1][1]
            if self._select not in fields or "selected" in given:
                fields[self._select] = given.get("value", data.strip())


def read(html: str) -> Seen:
    """Return what is on a page."""
    reader = _Reader()
    reader.feed(html)
    reader.seen.alerts = [text.strip() for text in reader.seen.alerts if text.strip()]
    reader.seen.notes = [text.strip() for text in reader.seen.notes if text.strip()]
    return reader.seen


@dataclass
class Visitor:
    """Hold one browser. `answer` is the last answer, and `page` what is on it."""

    client: httpx.AsyncClient
    language: str = "en"
    answer: httpx.Response = field(init=False)
    page: Seen = field(init=False, default_factory=Seen)
    steps: list[httpx.Response] = field(init=False, default_factory=list)
    """The answers to the last `get` or `submit`: each redirect, and the page at its end."""

    @property
    def origin(self) -> str:
        """Return the origin of the pages, as a browser writes it."""
        return str(self.client.base_url).rstrip("/")

    @property
    def csrf(self) -> str:
        """Return the value in the forms of the page."""
        return self.page.forms[0].fields["csrf"]

    @property
    def path(self) -> str:
        """Return the path and query of the page."""
        return self.answer.request.url.raw_path.decode()

    async def get(self, path: str, *, follow: bool = True) -> Seen:
        """Open a page, and follow redirects within the pages."""
        return await self._go("GET", path, None, follow=follow)

    async def submit(self, **fields: str) -> Seen:
        """Fill in the first form of the page, send it, and follow redirects. A field of "" is sent empty."""
        return await self.post(self.page.forms[0].action or self.path, self.page.forms[0].fields | fields)

    async def send(self, **fields: str) -> httpx.Response:
        """Fill in the first form, and send it. A redirect is not followed."""
        await self.post(self.page.forms[0].action or self.path, self.page.forms[0].fields | fields, follow=False)
        return self.answer

    def leave_out(self, *names: str) -> None:
        """Take fields out of the first form, as somebody does who changes the page."""
        for name in names:
            self.page.forms[0].fields.pop(name, None)

    async def post(
        self, path: str, data: dict[str, str], headers: dict[str, str] | None = None, *, follow: bool = True
    ) -> Seen:
        """Send a form, as a page of this origin does. `headers` are over those of a browser."""
        return await self._go("POST", path, data, follow=follow, headers={"origin": self.origin} | (headers or {}))

    async def _go(
        self, verb: str, path: str, data: dict[str, str] | None, *, follow: bool, headers: dict[str, str] | None = None
    ) -> Seen:
        more = {"accept-language": self.language, "sec-fetch-site": "same-origin"} | (headers or {})
        self.answer = await self.client.request(verb, path, data=data, headers=more)
        self.steps = [self.answer]
        while follow and self.answer.status_code == 303 and self.answer.headers["location"].startswith("/"):
            more = {"accept-language": self.language}
            self.answer = await self.client.get(self.answer.headers["location"], headers=more)
            self.steps.append(self.answer)
        kind = self.answer.headers.get("content-type", "")
        self.page = read(self.answer.text) if kind.startswith("text/html") else Seen()
        return self.page

    def cookie(self, name: str) -> Any:
        """Return the value of a cookie, None for none."""
        return self.client.cookies.get(name)
