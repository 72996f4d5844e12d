"""Hold the settings that senders with templates share: the vendor keeps the texts, and gets values for their places.

(docs/contracts/vendors.md section 1.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from menshen.core.codes.one_time_codes import LIFETIME
from menshen.core.delivery.messages import Message, Template
from menshen.core.findings import Finding, error
from menshen.core.time import MINUTE

DEFAULT: Final = "default"
"""The key of the template that serves each code without one of its own."""

_PLACE: Final = re.compile(r"\{(code|minutes|detail)\}", re.ASCII)
"""A place for a value. Nothing else in braces is one: no attribute, width or conversion."""

Parameters = dict[str, str] | list[str]


class TemplatedSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys about templates. The `Settings` of a sender's file extend it."""

    templates: Annotated[
        dict[str, str],
        Meta(
            description="The vendor's templates by message, such as `code_login`; `default` serves each code without "
            "one of its own. A notice without a template is not sent."
        ),
    ]
    parameters: Annotated[
        Parameters,
        Meta(
            description="What a code's template gets: a table by names, or a list by places. `{code}`, `{minutes}` and "
            "`{detail}` are replaced."
        ),
    ] = field(default_factory=lambda: {"code": "{code}"})
    notice_parameters: Annotated[
        Parameters, Meta(description="What the template of a notice gets, as `parameters`.")
    ] = {}
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time to hand over one message, in seconds.")
    ] = 5.0

    def serves(self, template: Template) -> bool:
        """Tell whether there is a template for such a message."""
        return bool(self.template_of(template))

    def template_of(self, template: Template) -> str:
        """Return the vendor's template, "" for a message that is not sent."""
        own = self.templates.get(template.value, "")
        return own or (self.templates.get(DEFAULT, "") if template.has_code else "")

    def parameters_of(self, message: Message) -> Parameters:
        """Return the parameters of a message, with its values in their places."""
        given = self.parameters if message.template.has_code else self.notice_parameters
        values = {"code": message.code, "minutes": str(LIFETIME // MINUTE), "detail": message.detail}
        if isinstance(given, list):
            return [_filled(text, values) for text in given]
        return {name: _filled(text, values) for name, text in given.items()}

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        known = {DEFAULT, *(template.value for template in Template)}
        for name, template in self.templates.items():
            if name not in known:
                yield error("templates", f"names no message {name!r}: there are {', '.join(sorted(known))}")
            elif not template:
                yield error("templates", f"has nothing for {name!r}")
        for key, given in (("parameters", self.parameters), ("notice_parameters", self.notice_parameters)):
            for text in given.values() if isinstance(given, dict) else given:
                if not _has_known_places(text):
                    yield error(key, f"{text!r} has braces around something other than code, minutes or detail")
        codes = self.parameters.values() if isinstance(self.parameters, dict) else self.parameters
        if any(template.has_code and self.serves(template) for template in Template) and not any(
            "{code}" in text for text in codes
        ):
            yield error("parameters", "has no {code}: nobody would get the code")


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the values in its places. A value is never read as a place."""
    return _PLACE.sub(lambda place: values[place[1]], text)


def _has_known_places(text: str) -> bool:
    """Tell whether each brace in a text belongs to a place that exists, in its plain form."""
    # Another text is in the place, so that what stands around it makes no new one.
    rest = _PLACE.sub(" ", text)
    return "{" not in rest and "}" not in rest
