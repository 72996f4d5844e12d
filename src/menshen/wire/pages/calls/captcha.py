"""Answer what the captcha of a form asks for: a test for the script, or a picture for a person without one."""

from __future__ import annotations

from typing import Final

import msgspec

from menshen.core.gates.captcha import CaptchaImage
from menshen.core.problems import Denied
from menshen.wire.pages.answers import Answer, Raw, Refused
from menshen.wire.pages.call import Call
from menshen.wire.pages.routing import Route

_JSON: Final = "application/json; charset=utf-8"


async def get_challenge(call: Call) -> Answer:
    """Answer a test for this app and network. Nothing is stored."""
    made = await call.flows.captcha.new_challenge(call.origin)
    if isinstance(made, Denied):
        return Raw(b'{"error":"not_found"}', _JSON, 404)
    return Raw(msgspec.json.encode(made.as_json()), _JSON)


async def get_picture(call: Call) -> Answer:
    """Draw the picture of an open captcha. Its answer replaces that of the one before."""
    drawn = await call.flows.captcha.draw(call.resource, call.origin)
    if not isinstance(drawn, CaptchaImage):
        raise Refused(404, "not_found")
    return Raw(drawn.png, "image/png")


ROUTES: Final = (
    Route("GET", "/login/challenge", get_challenge, "captcha.new_challenge"),
    Route("GET", "/login/picture/{id}", get_picture, "captcha.draw"),
)
