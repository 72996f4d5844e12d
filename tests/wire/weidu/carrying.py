"""Calls that carry a token or a cookie, and what is answered, over scripted flows."""

from __future__ import annotations

import httpx

from menshen.core.account.asks import Edited
from menshen.core.audit.export import export_of
from menshen.core.factors.outcomes import FactorList, Holdings
from menshen.core.outcomes import Done
from menshen.testing.scripted_flows import NOW
from tests.wire.weidu.scripted import TOKEN, ScriptedWeidu, account, granted

AUTH = f"menshenAUTHTOKEN={TOKEN}"
LOGIN = b'{"login_id":"ken","password":"Zk12345678"}'


def logged_in() -> ScriptedWeidu:
    """Script the flows of somebody who is logged in by `TOKEN`."""
    script = ScriptedWeidu(
        answers={
            "sessions.log_out": Done(),
            "sessions.end": Done(),
            "sessions.end_others": Done(),
            "sessions.list": [],
            "account.change_password": Done(),
            "account.edit_profile": Edited(account()),
            "account.bind": Edited(account()),
            "account.delete": Done(),
            "account.export": export_of(account(), [], [], [], {}, NOW, holdings=Holdings([], [], 0, []), agreed=[]),
            "login.password": granted(),
            "factors.list": FactorList(
                second_step=False, factors=[], passkeys=[], codes_left=0, trusted=[], allowed=[], required=False
            ),
        }
    )
    script.log_in()
    return script


async def info(script: ScriptedWeidu, *headers: tuple[str, str]) -> httpx.Response:
    async with script.client() as client:
        return await client.get("/users/info", headers=list(headers))


async def log_out(script: ScriptedWeidu, *headers: tuple[str, str], body: bytes | None = None) -> httpx.Response:
    async with script.client() as client:
        return await client.post("/users/logout", headers=list(headers), content=body)


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("error", "ok")


OK, UNAUTHENTICATED, CSRF_REFUSED = (200, "ok"), (401, "unauthenticated"), (403, "csrf")
