"""Answer GET /.well-known/…: related origins, pages about passkeys, and the apps of Android and iOS.

The answers are made once. It knows no account and no flow.
"""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.factors.associations import PREFIX, Associations
from menshen.wire.http.plain import answer

_JSON: Final = b"application/json"
"""Apple takes no other type, and no parameter behind it."""

_RELATIONS: Final = ("delegate_permission/common.get_login_creds", "delegate_permission/common.handle_all_urls")


def statements_app(said: Associations) -> ASGIApp:
    """Return the application. It gets the paths of `said` alone."""
    answers = {path: json.dumps(_statement(path, said)).encode() for path in said.paths()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
            return
        await answer(send, 200, answers[scope["path"]], _JSON)

    return app


def _statement(path: str, said: Associations) -> Any:
    match path.removeprefix(PREFIX):
        case "webauthn":
            return {"origins": list(said.related)}
        case "passkey-endpoints":
            pages = {"enroll": said.enroll, "manage": said.manage}
            return {name: address for name, address in pages.items() if address}
        case "assetlinks.json":
            return [
                {
                    "relation": list(_RELATIONS),
                    "target": {
                        "namespace": "android_app",
                        "package_name": package,
                        "sha256_cert_fingerprints": list(fingerprints),
                    },
                }
                for package, fingerprints in said.android.items()
            ]
        case _:
            return {"webcredentials": {"apps": list(said.ios)}}
