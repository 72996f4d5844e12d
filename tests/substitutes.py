"""Hand a port with some verbs of a test's own to the flows, in place of patching it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

Verb = Callable[..., Any]


class Substitute:
    """Stand for another object: attributes that were handed in are taken from here, all others from it."""

    def __init__(self, inner: Any, **attributes: Any) -> None:
        self.__dict__.update(attributes)
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def store_with(store: Any, **repositories: dict[str, Verb]) -> Any:
    """Give a store whose repositories have the verbs that were handed in, in reads and in transactions.

    `store_with(store, accounts={"find_owner": verb})`; a verb takes what the repository's own takes.
    """

    def altered(tx: Any) -> Any:
        return Substitute(tx, **{name: Substitute(getattr(tx, name), **verbs) for name, verbs in repositories.items()})

    async def write(work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await store.write(lambda tx: work(altered(tx)))

    return Substitute(store, read=altered(store.read), write=write)


def once(first: Verb, then: Verb) -> Verb:
    """Give a verb that is `first` at its first call and `then` at every later one."""
    calls = iter([first])

    def verb(*args: Any, **given: Any) -> Any:
        return next(calls, then)(*args, **given)

    return verb


async def not_found(*_: Any, **__: Any) -> None:
    """Find nothing, as a look-up that another transaction has overtaken."""


def raising(error: Exception) -> Verb:
    """Give a verb that raises `error` whatever it is asked."""

    async def verb(*_: Any, **__: Any) -> Any:
        raise error

    return verb


def failing_write(store: Any, number: int, error: Exception) -> Any:
    """Give a store whose write transaction with that number, from 1, raises `error` before it begins."""
    turns = iter(range(1, 1_000))

    async def write(work: Callable[[Any], Awaitable[Any]]) -> Any:
        if next(turns) == number:
            raise error
        return await store.write(work)

    return Substitute(store, write=write)


@asynccontextmanager
async def all_places_taken(hasher: Any) -> AsyncIterator[None]:
    """Take every free place of the hasher's queue while the block runs."""
    async with AsyncExitStack() as places:
        while not hasher.full:
            await places.enter_async_context(hasher.place())
        yield
