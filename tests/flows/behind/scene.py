"""An account with everything under way, the flows that may be overtaken, and the rivals that overtake them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.account.agreements import Agreement
from menshen.core.account.asks import Bind, Deletion, Edited, PasswordChange, PasswordReset, ProfileEdit
from menshen.core.apps import App, SecondFactorRule
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.asks import FactorProof, IdentityProof
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, PasswordLogin
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.apps import manage as app_manage
from menshen.ports.store.store import WriteTx
from tests.flows.login.stepping import enrolled
from tests.flows.site import CAREYSHOP, EMAIL, NEW, OTHER_EMAIL, OTHER_PHONE, PASSWORD, PHONE, Site

THIRD_PHONE = "+8613900139000"
NEWER = "staple battery"


@dataclass
class Scene:
    """The owner's session changes things. The caller's is another one, of somebody who hurries."""

    site: Site
    account: Account
    codes: dict[tuple[Purpose, str], str]
    owner: Authenticated
    caller: Authenticated
    shop: Granted


async def open_scene(site: Site) -> Scene:
    """Send every code that a flow or a rival needs, and log everybody in."""
    account = await site.kevin()
    rounds = (
        [(Purpose.VERIFY, PHONE), (Purpose.RESET, EMAIL)],
        [(Purpose.RESET, PHONE), (Purpose.LOGIN, EMAIL)],
        [(Purpose.PROOF, PHONE)],
        [(Purpose.LOGIN, PHONE), *((Purpose.BIND, one) for one in (OTHER_PHONE, OTHER_EMAIL, THIRD_PHONE))],
    )
    for pairs in rounds:
        site.clock.advance(61_000)
        for purpose, subject in pairs:
            await site.ask_code(subject, purpose, site.elsewhere())
    asked = [pair for pairs in rounds for pair in pairs]
    sent = (await site.harness.messages())[-len(asked) :]
    codes = {pair: message.code for pair, message in zip(asked, sent, strict=True)}
    verified = CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, codes[Purpose.VERIFY, PHONE])
    assert await site.flows.codes.verify(verified, site.origin()) == Done()
    owner, caller = await site.caller(await site.login()), await site.caller(await site.login())
    shop = await site.login(origin=site.origin(rules=CAREYSHOP), platform="app")
    return Scene(site, account, codes, owner, caller, shop)


Part = Callable[[Site, Scene, Any], Awaitable[Any]]


# --- flows ------------------------------------------------------------------------------------------------------------


def login_by_code(subject: str) -> Part:
    async def run(site: Site, scene: Scene, store: Any) -> Any:
        ask = CodeLogin(subject, scene.codes[Purpose.LOGIN, subject], await scene.site.captcha())
        return await site.flows.login.code(ask, site.origin())

    return run


def login_by_password(login_id: str) -> Part:
    async def run(site: Site, scene: Scene, store: Any) -> Any:
        return await site.flows.login.password(PasswordLogin(login_id, PASSWORD), site.origin())

    return run


def reset_by(subject: str) -> Part:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE

    async def run(site: Site, scene: Scene, store: Any) -> Any:
        code = scene.codes[Purpose.RESET, subject]
        ask = PasswordReset(kind, subject, Purpose.RESET, code, NEWER, captcha=await scene.site.captcha())
        return await site.flows.account.reset_password(ask, site.origin())

    return run


def change_password_of(who: str, new: str) -> Part:
    async def run(site: Site, scene: Scene, store: Any) -> Any:
        ask = PasswordChange(PASSWORD, new)
        return await site.flows.account.change_password(ask, getattr(scene, who), site.origin())

    return run


def bind_for(who: str, subject: str, password: str | None = None) -> Part:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE

    async def run(site: Site, scene: Scene, store: Any) -> Any:
        ask = Bind(kind, subject, scene.codes[Purpose.BIND, subject], password)
        return await site.flows.account.bind(ask, getattr(scene, who), site.origin())

    return run


def delete_by(who: str, *, code: bool = False) -> Part:
    async def run(site: Site, scene: Scene, store: Any) -> Any:
        ask = Deletion(None, scene.codes[Purpose.PROOF, PHONE]) if code else Deletion(PASSWORD)
        return await site.flows.account.delete(ask, getattr(scene, who), site.origin())

    return run


def close_in_days(who: str) -> Part:
    async def run(site: Site, scene: Scene, store: Any) -> Any:
        return await site.flows.account.close(Deletion(PASSWORD), 7, getattr(scene, who), site.origin())

    return run


async def drop_phone(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.account.drop(Kind.PHONE, scene.caller, site.origin())


async def agree(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.account.agree([Agreement("terms", "1")], scene.caller, site.origin())


async def order_export(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.account.order_export(scene.caller, site.origin())


async def refresh(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.login.refresh(scene.shop.token, scene.shop.refresh, site.origin(rules=CAREYSHOP))


async def refresh_again(site: Site, scene: Scene, store: Any) -> Any:
    """Ask for the answer again that was lost."""
    lost = await refresh(scene.site, scene, store)
    assert isinstance(lost, Granted)
    return await refresh(site, scene, store)


async def edit(site: Site, scene: Scene, store: Any) -> Any:
    ask = ProfileEdit({"nickname": "mine now"}, "renamed")
    return await site.flows.account.edit_profile(ask, scene.caller, site.origin())


def use_code_for(who: str) -> Part:
    async def run(site: Site, scene: Scene, store: Any) -> Any:
        return await site.flows.codes.use(PHONE, getattr(scene, who), site.origin())

    return run


async def end_others(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.sessions.end_others(scene.caller, site.origin())


async def second_step(site: Site, scene: Scene, store: Any) -> Any:
    """Complete a login that an app asked two proofs of. The rivals are at another time, and need one."""
    kevin = await enrolled(scene.site, scene.account)
    await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    needed = await kevin.needed()
    await site.harness.change_app(second_factor=SecondFactorRule.OPTIONAL)
    return await kevin.by_totp(needed, node=site)


async def prove_by_factor(site: Site, scene: Scene, store: Any) -> Any:
    kevin = await enrolled(scene.site, scene.account)
    ask = IdentityProof("totp", proof=FactorProof("totp", kevin.totp()))
    return await site.flows.factors.prove(ask, scene.caller, kevin.origin())


async def end_one(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.sessions.end(scene.owner.session.session_id, scene.caller, site.origin())


@dataclass(frozen=True)
class Flow:
    """A flow, and its transaction that the rival comes before."""

    run: Part
    turn: str


FLOWS = {
    "login by code to the phone": Flow(login_by_code(PHONE), "_login.grant"),
    "login by code to the mailbox": Flow(login_by_code(EMAIL), "_login.grant"),
    "login by phone and password": Flow(login_by_password(PHONE), "_grant.work"),
    "login by mail and password": Flow(login_by_password(EMAIL), "_grant.work"),
    "reset by phone": Flow(reset_by(PHONE), "reset_password.work"),
    "reset by mail": Flow(reset_by(EMAIL), "reset_password.work"),
    "change of password": Flow(change_password_of("caller", NEW), "change_password.work"),
    "bind": Flow(bind_for("caller", THIRD_PHONE), "bind.work"),
    "bind, its proof": Flow(bind_for("caller", THIRD_PHONE, PASSWORD), "bind.burn"),
    "deletion": Flow(delete_by("caller"), "after_proof.work"),
    "deletion by a code": Flow(delete_by("caller", code=True), "after_proof.work"),
    "deletion by a code, its proof": Flow(delete_by("caller", code=True), "after_proof.burn"),
    "closing": Flow(close_in_days("caller"), "after_proof.work"),
    "removal of the phone": Flow(drop_phone, "drop_identifier.work"),
    "agreement": Flow(agree, "agree.work"),
    "order of an export": Flow(order_export, "order_export.work"),
    "refresh": Flow(refresh, "refresh.rotate"),
    "refresh, its retry": Flow(refresh_again, "answer_again.note"),
    "edit": Flow(edit, "edit_profile.work"),
    "use of a verified code": Flow(use_code_for("caller"), "use_code.work"),
    "end of the others": Flow(end_others, "end_other_sessions.work"),
    "end of one": Flow(end_one, "end_session.work"),
    "second step": Flow(second_step, "second_step.grant"),
    "second step, its proof": Flow(second_step, "second_step.burn"),
    "proof by a factor": Flow(prove_by_factor, "_prove_factor.note"),
    "proof by a factor, its proof": Flow(prove_by_factor, "_prove_factor.burn"),
}


# --- rivals -----------------------------------------------------------------------------------------------------------


async def disable(site: Site, scene: Scene, store: Any) -> Any:
    return await admin_accounts.disable_account("kevin", store=store, world=site.clock)


async def close(site: Site, scene: Scene, store: Any) -> Any:
    return await admin_accounts.close_account("kevin", store=store, world=site.clock)


async def owner_ends_others(site: Site, scene: Scene, store: Any) -> Any:
    return await site.flows.sessions.end_others(scene.owner, site.origin())


async def admin_ends_all(site: Site, scene: Scene, store: Any) -> Any:
    return await admin_accounts.end_account_sessions("kevin", store=store, world=site.clock)


async def raise_epoch(site: Site, scene: Scene, store: Any) -> Any:
    async def work(tx: WriteTx) -> None:
        await tx.upkeep.raise_epoch()

    await store.write(work)
    return Done()


async def disable_app(site: Site, scene: Scene, store: Any) -> Any:
    return await app_manage.change_app(site.harness.app.name, {"disabled": True}, store=store, world=site.clock)


RIVALS = {
    "phone": Flow(bind_for("owner", OTHER_PHONE), "bind.work"),
    "mail": Flow(bind_for("owner", OTHER_EMAIL), "bind.work"),
    "password": Flow(change_password_of("owner", NEW), "change_password.work"),
    "reset by phone": Flow(reset_by(PHONE), "reset_password.work"),
    "reset by mail": Flow(reset_by(EMAIL), "reset_password.work"),
    "disabled": Flow(disable, "_switch.work"),
    "closed": Flow(close, "close_account.work"),
    "deleted": Flow(delete_by("owner"), "after_proof.work"),
    "closing": Flow(close_in_days("owner"), "after_proof.work"),
    "others ended": Flow(owner_ends_others, "end_other_sessions.work"),
    "all ended": Flow(admin_ends_all, "end_account_sessions.work"),
    "epoch": Flow(raise_epoch, "raise_epoch.work"),
    "app disabled": Flow(disable_app, "change_app.work"),
}
SUCCEEDED = (Edited, Done, App)
