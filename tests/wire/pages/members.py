"""A person at the pages of an account: a browser that keeps cookies, reads a page, and sends its forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from menshen.core.pages.settings import PageSettings
from tests.harness import BASE, Harness
from tests.wire.weidu.client import Client

PASSWORD = "correct horse battery"
PHONE = "13544285663"


@dataclass
class Form:
    """Hold one form: where it leads, the values that it sends by itself, and the texts of its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Shown(HTMLParser):
    """Read what a test asks of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.times: list[str] = []
        self.wrong: list[str] = []
        self.said: dict[str, str] = {}
        self.heading = self.text = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select = self._area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag not in {"input", "meta", "link", "img", "br", "source"}:
            self._open.append((tag, given))
        if "aria-invalid" in given:
            self.wrong.append(name)
        match tag:
            case "form":
                self.forms.append(Form(given["action"]))
            case "input":
                self.forms[-1].fields[name] = given.get("value", "")
            case "select":
                self._select = name
                self.forms[-1].fields[name] = ""
            case "option" if "selected" in given:
                self.forms[-1].fields[self._select] = given["value"]
            case "textarea":
                self.forms[-1].fields[name] = ""
                self._area = name
            case "button" if self.forms:
                # One outside of a form belongs to a script.
                self.forms[-1].buttons.append("")
            case "time":
                self.times.append(given["datetime"])
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            # A browser drops the line break after the tag.
            self.forms[-1].fields[self._area] += data.removeprefix("\n")
        if not data.strip() or any(tag in {"script", "style"} for tag, _ in self._open):
            return
        self.text += f" {data.strip()}"
        for tag, given in self._open:
            if tag == "h1":
                self.heading += data.strip()
            if tag == "a":
                self.links[given.get("href", "")] = data.strip()
            if given.get("role") in {"alert", "status"}:
                self.said[given["role"]] = self.said.get(given["role"], "") + data.strip()
            if tag == "button" and self.forms:
                self.forms[-1].buttons[-1] += data.strip()

    def form(self, action: str, **having: str) -> Form:
        """Return the form that leads to `action` and has these values."""
        (found,) = [form for form in self.forms if form.action == action and having.items() <= form.fields.items()]
        return found


@dataclass
class Person:
    """Hold a browser, and the page that it shows."""

    client: httpx.AsyncClient
    page: Shown = field(default_factory=lambda: Shown(""))
    answer: httpx.Response = field(default_factory=lambda: httpx.Response(0))

    async def get(self, path: str) -> Shown:
        """Open a page. A redirect is not followed."""
        self.answer = await self.client.get(path, headers={"accept-language": "en"})
        self.page = Shown(self.answer.text if "html" in self.answer.headers.get("content-type", "") else "")
        return self.page

    async def post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send fields as they are."""
        headers = {"accept-language": "en", "origin": BASE, "sec-fetch-site": "same-origin"}
        self.answer = await self.client.post(path, data=fields, headers=headers)
        if self.answer.status_code == 200:
            self.page = Shown(self.answer.text)
        return self.answer

    async def send(self, form: Form, **typed: str) -> httpx.Response:
        """Send a form of the page with what a person typed."""
        return await self.post(form.action, form.fields | typed)

    async def press(self, action: str, having: dict[str, str] | None = None, /, **typed: str) -> httpx.Response:
        """Send the one form that leads to `action`."""
        return await self.send(self.page.form(action, **(having or {})), **typed)

    async def follow(self) -> Shown:
        """Go where the answer leads."""
        assert self.answer.status_code == 303, self.answer.text
        return await self.get(self.answer.headers["location"])

    @property
    def leads_to(self) -> str:
        """Return where the answer leads, "" for nowhere."""
        return self.answer.headers.get("location", "") if self.answer.status_code == 303 else ""


async def open_pages(h: Harness, **settings: Any) -> None:
    """Give the app of the installation its pages."""
    chosen = PageSettings(on=True, **{"display_name_en": "Spruce Shop", "display_name_zh": "云杉商城"} | settings)
    await h.store.write(lambda tx: tx.app_pages.save(h.app.app_id, chosen, h.clock.now()))


def stranger(h: Harness, ip: str = "127.0.0.1") -> Person:
    """A browser without cookies."""
    return Person(h.client_from(ip))


async def log_in(h: Harness, account: str = PHONE, ip: str = "127.0.0.1", *, person: Person | None = None) -> Person:
    """A browser in which a member has logged in by the password."""
    person = person or stranger(h, ip)
    page = await person.get("/login?way=password")
    (form,) = [form for form in page.forms if "password" in form.fields]
    await person.send(form, account=account, password=PASSWORD, do="login")
    assert person.leads_to == "/account", person.page.text
    return person


async def live(client: Client) -> bool:
    """Return whether the token of an app is still good."""
    answer = await client.harness.client.get("/auth/verify", headers={"authorization": f"Bearer {client.token}"})
    return answer.status_code == 204
