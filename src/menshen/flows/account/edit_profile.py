"""Change what people say about themselves. Fields that are the server's never get here."""

from __future__ import annotations

from menshen.core.account.asks import Edited, ProfileEdit
from menshen.core.audit.events import Tag
from menshen.core.identifiers import parse_username
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.audit.recording import event_of
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

EDITABLE = frozenset(
    {
        "nickname", "avatar_url", "city", "province", "country", "gender", "birthday", "description", "level", "major",
    }
)  # fmt: skip


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.FORBIDDEN,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.UNAUTHENTICATED,
    },
)
async def edit_profile(
    ask: ProfileEdit, caller: Authenticated, origin: Origin, *, store: Store, world: World
) -> Edited | Denied:
    """The account after the change; all of it or nothing.

    Denied: FORBIDDEN (a field that is the server's), INVALID_REQUEST (username), ALREADY_TAKEN with `field`
    username or nickname.
    """
    now, number = world.now(), caller.account.number
    if forbidden := sorted(set(ask.fields) - EDITABLE):
        return Denied(ProblemCode.FORBIDDEN, field=forbidden[0])
    username = parse_username(ask.username) if ask.username is not None else None
    if ask.username is not None and username is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="username")

    async def work(tx: WriteTx) -> Edited | Denied:
        nickname = ask.fields.get("nickname")
        if ask.unique_nickname and nickname and await tx.accounts.nickname_taken(str(nickname), number):
            return Denied(ProblemCode.ALREADY_TAKEN, field="nickname")
        if username is not None and ask.username is not None:
            await tx.accounts.set_username(number, username, ask.username, now=now)
        account = await tx.accounts.set_profile(number, ask.fields, now=now)
        if account is None:
            return Denied(ProblemCode.UNAUTHENTICATED)
        changed = sorted([*ask.fields, *(["username"] if username else [])])
        await tx.audit.append(event_of(Tag.PROFILE_CHANGED, origin, now, account=number, reason=",".join(changed)))
        return Edited(account)

    try:
        return await store.write(work)
    except AlreadyTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)
