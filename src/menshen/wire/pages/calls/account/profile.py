"""Answer the profile: what people write about themselves, and their username."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from menshen.core.account.accounts import Account, Gender
from menshen.core.account.asks import ProfileEdit
from menshen.core.account.profiles import TEXTS
from menshen.core.problems import Denied
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.request.forms import FORM_LIMIT
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/profile"
_TYPED: Final = ("nickname", "username", "gender", "birthday", "city", "description")


async def get(call: Call) -> Answer:
    """Show the profile in a form."""
    return _show(call, _present(call.member.account))


async def post(call: Call) -> Answer:
    """Change what differs from the present profile. All of it changes, or nothing."""
    account = call.member.account
    present = _present(account)
    typed = {name: _read(call, name, present[name]) for name in _TYPED}
    # What a form sends along unchanged is not judged: older and imported profiles may hold what is refused today.
    changed = {name: text for name, text in typed.items() if text != present[name]}
    if not changed:
        return call.go(PAGE, said="profile.saved")
    fields: dict[str, object] = {name: text for name, text in changed.items() if name in TEXTS}
    if "gender" in changed:
        if changed["gender"] not in _GENDERS:
            return _show(call, typed, invalid("gender"))
        fields["gender"] = _GENDERS[changed["gender"]]
    ask = ProfileEdit(fields, username=changed.get("username"))
    outcome = await call.flows.account.edit_profile(ask, call.member, call.origin)
    return _show(call, typed, outcome) if isinstance(outcome, Denied) else call.go(PAGE, said="profile.saved")


_GENDERS: Final[Mapping[str, Gender]] = {str(gender.value): gender for gender in Gender}


def _present(account: Account) -> Mapping[str, str]:
    """Return the profile as the fields of the form hold it."""
    profile = account.profile
    texts = {name: TEXTS[name].shown(getattr(profile, name)) for name in _TYPED if name in TEXTS}
    return {**texts, "username": account.username_shown or "", "gender": str(profile.gender.value)}


def _read(call: Call, name: str, present: str) -> str:
    """Return a field as it was typed, the present value for one that the form does not have."""
    if name not in call.form:
        return present
    # A field that is too long must be refused, not read as empty. Browsers send line breaks as two characters.
    return call.field(name, FORM_LIMIT).replace("\r\n", "\n").strip()


def _show(call: Call, typed: Mapping[str, str], error: Denied | None = None) -> Answer:
    wrong = (error.field or "") if error else ""
    return call.page(
        "account/profile.html",
        error=error,
        wrong=wrong if wrong in _TYPED else "",
        typed=typed,
        most={name: TEXTS[name].most for name in _TYPED if name in TEXTS},
        genders=[(value, call.words(f"profile.gender_{value}")) for value in _GENDERS],
        avatar=TEXTS["avatar_url"].shown(call.member.account.profile.avatar_url),
    )


ROUTES: Final = (
    Route("GET", PAGE, get, access=Access.PRIVATE),
    Route("POST", PAGE, post, "account.edit_profile", Access.PRIVATE),
)
