"""Ask for the consent to terms and to further texts, and keep what was agreed to.

A consent is written `<kind>:<version>` while it travels from page to page. (docs/contracts/pages.md section 3.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.account.agreements import TERMS, Agreement
from menshen.core.login.outcomes import Granted
from menshen.core.pages.settings import PageSettings
from menshen.core.problems import Denied
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import DAY, after
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.request import cookies

_FIRST_VERSION: Final = "1"
_MOST: Final = 20
_KEPT_FOR: Final = 365 * DAY


@dataclass(frozen=True, slots=True)
class Box:
    """Describe one box of a form. `agreed` is what a tick in it stands for. `ticked` shows it ticked already.

    `known`: the person in this browser agreed before. A line stands in place of the box then.
    """

    name: str
    kind: str
    version: str
    required: bool
    text: str = ""
    url: str = ""
    ticked: bool = False
    known: bool = False

    @property
    def agreed(self) -> str:
        """Return the consent as it travels."""
        return f"{self.kind}:{self.version}"


def boxes(call: Call, ticked: tuple[str, ...] = ()) -> tuple[Box, ...]:
    """Return the boxes that the app asks for: its terms first. `ticked` are those of an earlier form."""
    known = _known(call)
    made = [_terms(call.settings)] if call.settings.asks_terms() else []
    made += [
        Box(f"consent.{each.id}", each.id, each.version, each.required, each.text(call.words.tag), each.url)
        for each in call.settings.consents
    ]
    return tuple(
        Box(
            box.name, box.kind, box.version, box.required, box.text, box.url,
            ticked=box.agreed in ticked or _is_ticked(call, box), known=box.agreed in known,
        )
        for box in made
    )  # fmt: skip


def agreed_in(call: Call) -> tuple[str, ...]:
    """Return the consents of the form: what is ticked, and what the person in this browser agreed to before."""
    return tuple(box.agreed for box in boxes(call) if box.ticked or box.known)


def missing_consent(call: Call) -> Denied | None:
    """Return the refusal if a required box is not ticked. `field` is its name."""
    missing = next((box for box in boxes(call) if box.required and not (box.ticked or box.known)), None)
    return invalid("agree" if missing.kind == TERMS else "consent") if missing else None


async def note_agreements(call: Call, granted: Granted, agreed: tuple[str, ...]) -> None:
    """Keep what the person who is logged in now agreed to: with the account, and in the browser.

    What could not be kept with the account is asked again at the next login.
    """
    if not agreed:
        return
    asked = [Agreement(kind, version) for kind, _, version in (each.partition(":") for each in agreed)]
    caller = Authenticated(granted.session, granted.account)
    if isinstance(await call.flows.account.agree(asked, caller, call.origin), Denied):
        return
    app = call.app.app_id
    own = [f"{app}:{each}" for each in agreed]
    others = [each for each in _entries(call) if each not in own]
    call.jar.write(cookies.AGREED, "/".join([*own, *others][:_MOST]), after(call.now, _KEPT_FOR))


def _terms(settings: PageSettings) -> Box:
    return Box("agree", TERMS, settings.terms_version or _FIRST_VERSION, required=True)


def _is_ticked(call: Call, box: Box) -> bool:
    return call.form.get(box.name) == box.version


def _entries(call: Call) -> list[str]:
    return [each for each in call.jar.read(cookies.AGREED).split("/") if each.count(":") == 2]


def _known(call: Call) -> frozenset[str]:
    """Return what the person in this browser agreed to before, at this app."""
    mark = f"{call.app.app_id}:"
    return frozenset(each.removeprefix(mark) for each in _entries(call) if each.startswith(mark))
