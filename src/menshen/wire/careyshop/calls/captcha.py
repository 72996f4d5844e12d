"""Give and read the image captcha: get.app.captcha, get.app.captcha.callurl and image.app.captcha.

(docs/contracts/careyshop.md section 5.9.)
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from menshen.core.apps import CaptchaRule
from menshen.core.gates.captcha import ImagePresented
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.answers import Base64Picture, CallUrl, CaptchaState
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.envelope import Picture
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused, settled
from menshen.wire.careyshop.public_rules import given, scalar


def presented(parameters: Parameters) -> ImagePresented | None:
    """Return the captcha's solution in `login_code` and `session_id`, or None. "" and "0" count as none."""
    code = parameters.get("login_code")
    if not given(code):
        return None
    answer, session_id = scalar(code), scalar(parameters.get("session_id"))
    if answer is None:
        raise Refused(texts.CAPTCHA_WRONG)
    return None if answer == "0" else ImagePresented(session_id or "", answer)


@reads()
async def status(call: Call) -> CaptchaState:
    """Return true if a login of this app needs a captcha, and the session id for its image."""
    origin = call.origin
    if call.app is None and given(call.parameters.get("appkey")) and not call.appkey_ignored:
        # No login works with an unknown appkey. The recorded server shows it an image.
        origin = replace(origin, app=replace(origin.app, captcha=CaptchaRule.ALWAYS))
    ticket = settled(await call.flows.captcha.image(origin))
    return {"captcha": ticket.session_id != "", "session_id": ticket.session_id}


@reads()
async def call_url(call: Call) -> CallUrl:
    """Return the URL of the image. The client adds the session id."""
    return {"call_url": f"{call.site}/api/v1/app.html?method=image.app.captcha"}


@reads(
    fields.SESSION_ID,
    optional=(fields.GENERATE,),
    picture=True,
)
async def image(call: Call) -> Picture | Base64Picture:
    """Return a new image for a session id, as PNG or inside the answer."""
    wanted = call.parameters.get("generate")
    if given(wanted) and wanted not in fields.GENERATE.choices:
        raise Refused(texts.NOT_IN.format(texts.GENERATE, ",".join(fields.GENERATE.choices)))
    session_id = scalar(call.parameters.get("session_id")) or ""
    drawn = settled(await call.flows.captcha.draw(session_id, call.origin))
    if wanted == "base64":
        return {"content_type": "image/png", "base64": b64encode(drawn.png).decode("ascii")}
    return Picture(drawn.png)
