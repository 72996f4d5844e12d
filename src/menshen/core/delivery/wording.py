"""Make the words of a message from texts with places such as `{code}`, and find what is wrong with such texts.

A text has an id: the section and the key of a file of texts, such as `sms.code_login`. No value is read as a text, and
no value is a text of a user. Not known here: where texts are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from menshen.core.codes.one_time_codes import LIFETIME
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.plain_text import is_plain, is_plain_lines
from menshen.core.time import MINUTE

Texts = Mapping[str, str]
"""Texts of one app and one language by their ids."""

PRODUCT: Final = "product.name"
"""The id of the name that messages give to the product. It is "" as long as no text sets one."""

_SIGNATURE: Final = "signature."
"""Stands before a prefix of numbers, in the id of what is put in front of text messages to them."""

_DETAILED: Final = frozenset(
    {
        Template.IDENTIFIER_CHANGED.value,
        Template.IDENTIFIER_REMOVED.value,
        Template.RECOVERY_USED.value,
        Template.ACCOUNT_CLOSING.value,
    }
)
"""Notices that carry a value: a masked phone or email, how many recovery codes are left, or a day."""

_LINKED: Final = frozenset(
    {
        Template.IDENTIFIER_CHANGED.value,
        Template.IDENTIFIER_REMOVED.value,
        Template.PASSWORD_CHANGED.value,
        Template.FACTOR_ADDED.value,
        Template.FACTOR_REMOVED.value,
        Template.RECOVERY_MADE.value,
        Template.RECOVERY_USED.value,
        Template.STEP_FAILED.value,
    }
)
"""Notices of security acts. Their mails may carry a link that says "that was not me", and where the act came from."""

_OPTIONAL: Final = ("product", "link", "where")
"""Places whose line is left out where there is no value."""

_PLACE: Final = re.compile(r"\{(code|minutes|detail|product|link|where)\}")
_BRACES: Final = re.compile(r"\{([^{}]*)\}|[{}]")
_MOST: Final = {"product": 40, "signature": 60, "sms": 600, "subject": 150, "mail": 8000}


class Rendered(NamedTuple):
    """Hold what a person reads. `subject` is "" for a text message."""

    subject: str
    text: str

    def __repr__(self) -> str:
        """Hide both: they may hold a code."""
        return "Rendered()"


def render(texts: Texts, message: Message) -> Rendered:
    """Return the words of a message. `texts` has all ids.

    In front of a text message stands the signature of the receiver's country, where there is one. A line that names
    the product, a link or a network is left out where there is none.
    """
    product = texts[PRODUCT]
    values = {
        "code": message.code,
        "minutes": str(LIFETIME // MINUTE),
        "detail": message.detail,
        "product": product,
        "link": message.link,
        "where": message.where,
    }
    if message.channel is Channel.EMAIL:
        subject, text = (_filled(texts[f"{part}.{message.template}"], values) for part in ("subject", "mail"))
        return Rendered(subject, text)
    text = _filled(texts[f"sms.{message.template}"], values)
    signature = _filled(texts.get(signature_id(texts, message.to), ""), values)
    # A text of an operator may have its own.
    return Rendered("", text if text.startswith("【") else f"{signature}{text}")


def signature_id(texts: Texts, to: str) -> str:
    """Return the id of the signature for a number, "" if its country wants none. The longest prefix wins."""
    ids = [key for key in texts if key.startswith(_SIGNATURE) and to.startswith(key.removeprefix(_SIGNATURE))]
    return max(ids, key=len, default="")


def _filled(text: str, values: Mapping[str, str]) -> str:
    for place in _OPTIONAL:
        if not values[place] and f"{{{place}}}" in text:
            text = "\n".join(line for line in text.split("\n") if f"{{{place}}}" not in line)
    return _PLACE.sub(lambda found: values[found[1]], text).strip()


def find_faults(text_id: str, text: str, *, product: str) -> Iterator[str]:
    """Yield a sentence without its subject for each fault of a text that `render` may use. None: it can be used.

    `text_id` is one that there is. `product` is the name that the product has where the text is used.
    """
    section, _, key = text_id.partition(".")
    if not text.strip() and section != "signature":
        yield "is empty"
    if len(text) > _MOST[section]:
        yield f"has {len(text)} characters, and {_MOST[section]} at most are allowed"
    if section == "mail" and not is_plain_lines(text):
        yield "has control characters"
    if section != "mail" and not is_plain(text):
        yield "has line breaks or control characters"
    places = _places_of(section, key)
    wrong = next((found[0] for found in _BRACES.finditer(text) if found[1] not in places), None)
    if wrong is not None:
        known = ", ".join(f"{{{place}}}" for place in places)
        yield f"has {wrong if is_plain(wrong) else 'braces'}, and its places are {known}" if known else "has braces"
    if "product" in places and "{product}" in text and not product:
        yield "has {product}, and the product has no name: set [texts] product"
    if section in {"sms", "mail"} and Template(key).has_code and "{code}" not in text:
        yield "has no {code}: the message would not hold the code"


def _places_of(section: str, key: str) -> tuple[str, ...]:
    """Return the names that may stand in braces."""
    if section == "product":
        return ()
    if section == "signature":
        return ("product",)
    if Template(key).has_code:
        return ("code", "minutes", "product")
    linked = ("link", "where") if section == "mail" and key in _LINKED else ()
    return ("detail", *linked, "product") if key in _DETAILED else (*linked, "product")


def carries_link(template: Template) -> bool:
    """Return whether mails of this template may carry a link that says "that was not me"."""
    return template.value in _LINKED
