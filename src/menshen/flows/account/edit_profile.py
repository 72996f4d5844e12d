"""Change the profile fields that users fill in themselves. Fields that only the server sets are refused."""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.account.asks import Edited, ProfileEdit
from menshen.core.account.profiles import entered, judge_profile
from menshen.core.audit.events import Tag
from menshen.core.gates.members import EDITS
from menshen.core.identifiers import shown_username
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.account.lookups import charge_oracle
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.holding import hold_caller
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
    quota=EDITS,
)
async def edit_profile(
    ask: ProfileEdit,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> Edited | Denied:
    """Change all the given fields or none. Return the changed account.

    Denied: FORBIDDEN (a field that only the server sets), INVALID_REQUEST with the `field` that breaks its rule,
    TOO_MANY_REQUESTS, ALREADY_TAKEN with `field` username or nickname. A new name counts as a call that asks whether
    it is taken.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    now, number = world.now(), caller.account.number
    if forbidden := sorted(set(ask.fields) - EDITABLE):
        return Denied(ProblemCode.FORBIDDEN, field=forbidden[0])
    fields = entered(ask.fields)
    if refusal := judge_profile(fields):
        return refusal
    username = shown_username(ask.username) if ask.username is not None else None
    if ask.username is not None and username is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="username")
    nickname = str(fields["nickname"]) if ask.unique_nickname and fields.get("nickname") else ""
    if _asks_for_name(username, nickname, caller.account) and (
        refusal := await store.write(lambda tx: charge_oracle(tx, origin, keyring, policy, now))
    ):
        return refusal

    async def work(tx: WriteTx) -> Edited | Denied:
        present = await hold_caller(tx, caller)
        if nickname and await tx.accounts.nickname_taken(nickname, number):
            return Denied(ProblemCode.ALREADY_TAKEN, field="nickname")
        if username is not None:
            await tx.accounts.set_username(number, username.lower(), username, now=now)
        account = await tx.accounts.set_profile(number, fields, now=now) or present
        changed = sorted([*fields, *(["username"] if username else [])])
        await tx.audit.append(event_of(Tag.PROFILE_CHANGED, origin, now, account=number, reason=",".join(changed)))
        return Edited(account)

    try:
        return await store.write(work)
    except AlreadyTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)


def _asks_for_name(username: str | None, unique_nickname: str, account: Account) -> bool:
    """Return whether the answer could tell that another person has a name. Forms send the present ones along."""
    return (username is not None and username.lower() != account.username) or (
        unique_nickname not in {"", account.profile.nickname}
    )
