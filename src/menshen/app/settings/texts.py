"""Read the texts of messages that the settings name, and find what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from menshen.adapters.texts import SettledTexts, read_texts
from menshen.app.settings.settings import Settings
from menshen.core.apps import App
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.parts import Size, size_of
from menshen.core.delivery.wording import Texts, render
from menshen.core.findings import Finding, warning
from menshen.core.time import Instant
from menshen.texts.reader import LANGUAGES

_CODE: Final = "0" * 6
_DETAIL: Final = "k***n@mail.example.com"
"""As long as those that people have."""


def texts_of(settings: Settings) -> SettledTexts:
    """Return the texts as the files are now.

    A start refuses a text that has a fault. One that got a fault since then is left out: the text beneath it is used.
    """
    return read_texts(settings.texts.product, settings.texts.folder)


def find_text_problems(settings: Settings) -> Iterator[Finding]:
    """Find faults of the texts, and text messages that are longer than one part."""
    held = texts_of(settings)
    yield from held.findings
    for (app, language), texts in held.texts.items():
        # What an app has from all apps was found there.
        known = render_all(held.texts["", language], settings.sms.countries) if app else {}
        long = {
            key: size
            for key, size in render_all(texts, settings.sms.countries).items()
            if size.parts > 1 and known.get(key) != size
        }
        if long:
            country, template = max(long, key=lambda key: (long[key].parts, long[key].units))
            most = long[country, template]
            names = ", ".join(dict.fromkeys(template.value for _, template in long))
            yield warning(
                f"[texts] {app or 'all apps'} {language}",
                f"{names}: each text message is charged as several where a sender sends the text itself: {template} to "
                f"{country} has {most.units} characters, which is {most.parts} parts. One part holds {most.one_part} "
                f"in {most.alphabet}",
            )


def render_all(texts: Texts, countries: Sequence[str]) -> dict[tuple[str, Template], Size]:
    """Return the sizes of all text messages to numbers of these countries."""
    found = {}
    for country in countries:
        for template in Template:
            code, detail = (_CODE, "") if template.has_code else ("", _DETAIL)
            message = Message(Channel.SMS, country, template, LANGUAGES[0], Instant(0), code=code, detail=detail)
            found[country, template] = size_of(render(texts, message).text)
    return found


def find_texts_of_no_app(settings: Settings, apps: Sequence[App]) -> Iterator[Finding]:
    """Find files of apps that there are not."""
    names = {app.name for app in apps}
    for name in texts_of(settings).apps:
        if name not in names:
            yield warning("[texts] folder", f"has texts of the app {name}, and there is no such app")
