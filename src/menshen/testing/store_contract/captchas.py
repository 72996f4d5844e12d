"""Test captcha passes, spent challenges and image captchas: each is valid once."""

from __future__ import annotations

from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.captcha import Action
from menshen.core.time import Instant, after
from menshen.ports.store.store import Store
from menshen.testing.store_contract.racing import RACERS, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW

END = after(NOW, 300_000)
PASS, TICKET = b"pass" * 8, b"ticket" * 5
RIGHT, WRONG, OLDER = b"right" * 6, b"wrong" * 6, b"older" * 6
NET = "192.0.2.0/24"


async def add_pass(store: Store) -> None:
    await store.write(lambda tx: tx.captchas.add_pass(PASS, 1, NET, END))


async def spend(
    store: Store, action: Action = Action.SEND_CODE, *, app: int = 1, net: str = NET, now: Instant = NOW,
    token: bytes = PASS,
) -> bool:  # fmt: skip
    return await store.write(lambda tx: tx.captchas.spend_pass(token, action, app, net, now))


async def draw(store: Store, mac: bytes = RIGHT, now: Instant = NOW) -> bool:
    return await store.write(lambda tx: tx.captchas.set_answer(TICKET, mac, now, END))


async def answer(store: Store, *macs: bytes, app: int = 1, now: Instant = NOW) -> Taken:
    return await store.write(lambda tx: tx.captchas.answer(TICKET, app, macs, now))


class CaptchasContract:
    """Test `menshen.ports.store.captchas`."""

    async def test_of_racers_with_one_challenge_one_spends_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        won = await race(stores, lambda store, _: store.write(lambda tx: tx.captchas.spend_nonce("n", END)))
        assert won.count(True) == 1
        await stores[0].close()
        again = await open_store()
        assert not await again.write(lambda tx: tx.captchas.spend_nonce("n", END))
        assert await again.write(lambda tx: tx.captchas.spend_nonce("N", END))

    async def test_a_pass_serves_each_action_once_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await add_pass(stores[0])
        actions = list(Action)
        # Concurrent callers for different actions share one row: none may undo another's change.
        won = await race(stores, lambda store, n: spend(store, actions[n % len(actions)]), racers=8 * len(actions))
        for n, action in enumerate(actions):
            assert won[n :: len(actions)].count(True) == 1, action
            assert not await spend(stores[0], action)

    async def test_a_pass_is_bound_to_its_app_and_network(self, open_store: OpenStore) -> None:
        store = await open_store()
        await add_pass(store)
        assert not await spend(store, app=2)
        assert not await spend(store, net="192.0.3.0/24")
        assert not await spend(store, token=PASS[:-1])
        assert await spend(store)

    async def test_a_pass_of_an_easy_test_is_not_spent_where_a_hard_one_is_due(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.write(lambda tx: tx.captchas.add_pass(PASS, 1, NET, END, difficulty=2))

        async def spend_at(difficulty: int, action: Action = Action.RESET) -> bool:
            return await store.write(
                lambda tx: tx.captchas.spend_pass(PASS, action, 1, NET, NOW, difficulty=difficulty)
            )

        assert not await spend_at(3)
        assert await spend_at(2)
        assert await spend_at(1, Action.SIGNUP)

    async def test_a_pass_lives_until_its_last_millisecond(self, open_store: OpenStore) -> None:
        store = await open_store()
        await add_pass(store)
        assert not await spend(store, now=END)
        assert await spend(store, now=after(END, -1))

    async def test_an_image_has_one_try(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        store = stores[0]
        assert not await draw(store)
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        assert await answer(store, RIGHT) is Taken.DEAD
        assert await draw(store)
        assert await answer(store, WRONG) is Taken.WRONG
        assert await answer(store, RIGHT) is Taken.DEAD
        assert not await draw(store)
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(store)
        got = await race(stores, lambda store, _: answer(store, RIGHT))
        assert got.count(Taken.MATCHED) == 1
        assert got.count(Taken.DEAD) == RACERS - 1

    async def test_guessers_of_an_image_get_one_try_by_racing(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        await stores[0].write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(stores[0])
        got = await race(stores, lambda store, n: answer(store, RIGHT if n % 2 else WRONG))
        assert RACERS - got.count(Taken.DEAD) == 1

    async def test_a_new_drawing_forgets_the_one_before(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(store, OLDER)
        await draw(store)
        assert await answer(store, OLDER) is Taken.WRONG

    async def test_an_image_belongs_to_its_app(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(store)
        assert await answer(store, RIGHT, app=2) is Taken.DEAD
        assert await answer(store, RIGHT) is Taken.MATCHED

    async def test_an_image_lives_until_its_last_millisecond(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, after(NOW, 1)))
        assert not await draw(store, now=after(NOW, 1))
        assert await draw(store)
        # Drawing an image moved its expiry to END.
        assert await answer(store, RIGHT, now=END) is Taken.DEAD
        assert await answer(store, RIGHT, now=after(END, -1)) is Taken.MATCHED

    async def test_an_answer_under_the_key_before_still_fits(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(store, OLDER)
        assert await answer(store, RIGHT, OLDER) is Taken.MATCHED

    async def test_an_open_image_is_not_opened_over(self, open_store: OpenStore) -> None:
        store = await open_store()
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(store)
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 2, END))
        assert await answer(store, RIGHT, app=2) is Taken.DEAD
        assert await answer(store, RIGHT) is Taken.MATCHED

    async def test_an_epoch_kills_passes_and_images(self, open_store: OpenStore) -> None:
        store = await open_store()
        await add_pass(store)
        await store.write(lambda tx: tx.captchas.open_image(TICKET, 1, END))
        await draw(store)
        await store.write(lambda tx: tx.upkeep.raise_epoch())
        assert not await spend(store)
        assert await answer(store, RIGHT) is Taken.DEAD
