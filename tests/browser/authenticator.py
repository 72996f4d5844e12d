"""A page of the server with a virtual authenticator, and the calls that a web client makes from it."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.browser.chromium import Page

_CLIENT: Final = """
globalThis.menshen = {
  async call(method, path, body, token) {
    const headers = {"content-type": "application/json"};
    if (token) headers["Token"] = token;
    const answer = await fetch("/weidu/api/v1" + path, {method, headers, body: body && JSON.stringify(body)});
    return {status: answer.status, token: answer.headers.get("Token") ?? "", body: await answer.json()};
  },
  async create(options) {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({publicKey})).toJSON();
  },
  async get(options) {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({publicKey})).toJSON();
  },
}, 0
"""


class Client:
    """Hold a page of the server, and its authenticator."""

    def __init__(self, page: Page, site: str, **authenticator: Any) -> None:
        """Open `site`. `authenticator` are options of `WebAuthn.addVirtualAuthenticator`, over those of a phone."""
        self.page = page
        # The page of documents forbids itself all requests.
        page.call("Page.setBypassCSP", enabled=True)
        page.open(f"{site}/docs")
        page.run(_CLIENT)
        page.call("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = page.call("WebAuthn.addVirtualAuthenticator", options=options | authenticator)
        self._authenticator = made["authenticatorId"]

    def set(self, method: str, **parameters: Any) -> None:
        """Change the authenticator by a method of the domain WebAuthn."""
        self.page.call(f"WebAuthn.{method}", authenticatorId=self._authenticator, **parameters)

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> dict[str, Any]:
        """Make a call of the weidu dialect. Return `status`, `token` and `body` of the answer."""
        arguments = ", ".join(map(json.dumps, (method, path, body, token)))
        answer: dict[str, Any] = self.page.run(f"menshen.call({arguments})")
        return answer

    def create(self, options: Any) -> Any:
        """Register a passkey by the browser. Return its JSON."""
        return self.page.run(f"menshen.create({json.dumps(options)})")

    def get(self, options: Any) -> Any:
        """Answer a challenge by the browser. Return its JSON."""
        return self.page.run(f"menshen.get({json.dumps(options)})")
