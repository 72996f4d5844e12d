"""Give the image captcha of a login: get.app.captcha, get.app.captcha.callurl and image.app.captcha.

(docs/contracts/careyshop.md section 5.9.)
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

from menshen.core.apps import CaptchaRule
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.envelope import Picture
from menshen.wire.careyshop.problems import Refused, settled
from menshen.wire.careyshop.public_rules import given, scalar


async def status(call: Call) -> dict[str, Any]:
    """Return true if a login of this app needs a captcha, and the session id for its image."""
    origin = call.origin
    if call.app is None and given(call.parameters.get("appkey")):
        # No login works with an unknown appkey. The recorded server shows it an image.
        origin = replace(origin, app=replace(origin.app, captcha=CaptchaRule.ALWAYS))
    ticket = settled(await call.flows.captcha.image(origin))
    return {"captcha": ticket.session_id != "", "session_id": ticket.session_id}


async def call_url(call: Call) -> dict[str, str]:
    """Return the URL of the image. The client adds the session id."""
    return {"call_url": f"{call.site}/api/v1/app.html?method=image.app.captcha"}


async def image(call: Call) -> Picture | dict[str, str]:
    """Return a new image for a session id, as PNG or inside the answer."""
    wanted = call.parameters.get("generate")
    if given(wanted) and wanted not in ("image", "base64"):
        raise Refused(texts.NOT_IN.format(texts.GENERATE, "image,base64"))
    session_id = scalar(call.parameters.get("session_id")) or ""
    drawn = settled(await call.flows.captcha.draw(session_id, call.origin))
    if wanted == "base64":
        return {"content_type": "image/png", "base64": b64encode(drawn.png).decode("ascii")}
    return Picture(drawn.png)
