"""`menshen.ports.captcha`: challenges that carry their own terms, and pictures."""

from __future__ import annotations

import base64
import copy
import json
from io import BytesIO
from typing import Any

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.adapters.captcha.proof_of_work import ProofOfWorkCaptcha
from menshen.core.gates.captcha import CHALLENGE_LIFETIME, IMAGE_ALPHABET, IMAGE_LENGTH, Solved
from menshen.core.keys import Key, Keyring
from menshen.core.time import Instant, after
from tests.harness import START, Harness

INDEX = Key("index", b"i" * 32)
OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
PROVIDER = ProofOfWorkCaptcha(Keyring((OLD,), INDEX), cost=1)
NET = "192.0.2.0/24"
NOW = START


def challenge(difficulty: int = 1, provider: ProofOfWorkCaptcha = PROVIDER) -> dict[str, Any]:
    return provider.challenge(app_id=7, network=NET, difficulty=difficulty, now=NOW).as_json()


SOLVED = Harness.solve(challenge())
PAYLOAD = json.loads(base64.b64decode(SOLVED))


def encoded(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_a_solved_challenge_stands_for_its_own_terms() -> None:
    solved = PROVIDER.check(SOLVED, NOW)
    nonce = PAYLOAD["challenge"]["parameters"]["nonce"]
    assert solved == Solved(nonce, 7, NET, after(NOW, CHALLENGE_LIFETIME), 1)
    assert PROVIDER.check(encoded(PAYLOAD), NOW) == solved


def test_challenges_do_not_repeat() -> None:
    assert len({challenge()["parameters"]["nonce"] for _ in range(50)}) == 50


@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False), (1, False)])
def test_it_lives_until_its_last_millisecond(past: int, good: bool) -> None:
    assert (PROVIDER.check(SOLVED, after(NOW, CHALLENGE_LIFETIME + past)) is not None) is good


def test_a_challenge_from_far_ahead_is_none() -> None:
    """A clock that was wrong by years must not have left challenges for years."""
    assert PROVIDER.check(SOLVED, after(NOW, -CHALLENGE_LIFETIME - 1)) is None
    assert PROVIDER.check(SOLVED, after(NOW, -CHALLENGE_LIFETIME))


def test_each_step_of_difficulty_doubles_the_work_up_to_a_bound() -> None:
    dear = ProofOfWorkCaptcha(Keyring((OLD,), INDEX), cost=1000)
    costs = [challenge(difficulty, dear)["parameters"]["cost"] for difficulty in range(1, 10)]
    assert costs == [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 200_000]
    hard = PROVIDER.check(Harness.solve(challenge(3)), NOW)
    assert hard
    assert hard.difficulty == 3


def test_keys_rotate_without_losing_a_challenge() -> None:
    rotated = ProofOfWorkCaptcha(Keyring((NEW, OLD), INDEX), cost=1)
    assert rotated.check(SOLVED, NOW)
    assert rotated.check(Harness.solve(challenge(provider=rotated)), NOW)
    assert ProofOfWorkCaptcha(Keyring((NEW,), INDEX), cost=1).check(SOLVED, NOW) is None


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    return [path]


def changed(path: tuple[Any, ...], value: Any) -> Any:
    payload = copy.deepcopy(PAYLOAD)
    inner = payload
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return payload


# What a solver may tell as it likes; and what stands at the library's default, which it may leave out.
FREE = {("solution", "time"), ("challenge", "parameters", "keyPrefix")}


@pytest.mark.attack("OT-18")
@pytest.mark.parametrize("path", leaves(PAYLOAD), ids=".".join)
@pytest.mark.parametrize("value", [..., None, "", "x", 0, 1, -1, 2**40, 1.5, True, [], {}, "00", {"app": 1}])
def test_every_word_of_it_counts(path: tuple[Any, ...], value: Any) -> None:
    payload = changed(path, value)
    if payload != PAYLOAD and (path not in FREE or (value is not ... and path[-1] == "keyPrefix")):
        assert PROVIDER.check(encoded(payload), NOW) is None


@pytest.mark.attack("OT-18")
@pytest.mark.parametrize(
    "payload",
    ["", "=", "x", "é", "e30=", encoded([]), encoded(None), encoded({"challenge": [], "solution": 1}), "A" * 9000,
     base64.b64encode(b"[" * 5000).decode(), base64.b64encode(b"\xff").decode(), SOLVED + "\n", SOLVED[:-4], "\0"],
    ids=range(14),
)  # fmt: skip
def test_junk_is_none(payload: str) -> None:
    assert PROVIDER.check(payload, NOW) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from([*leaves(PAYLOAD), ("challenge",), ("solution",), ("challenge", "parameters")]), json_values)
def test_nothing_raises(path: tuple[Any, ...], value: Any) -> None:
    payload = changed(path, value)
    assert payload == PAYLOAD or path in FREE or PROVIDER.check(encoded(payload), NOW) is None


def test_the_clock_of_the_library_is_not_ahead_of_the_tests() -> None:
    """The library judges expiry by the system's clock as well."""
    past = PROVIDER.challenge(app_id=7, network=NET, difficulty=1, now=Instant(1_000_000_000_000)).as_json()
    assert PROVIDER.check(Harness.solve(past), Instant(1_000_000_000_000)) is None
    assert altcha.__name__ == "altcha"


def test_a_picture_is_a_png_of_the_text() -> None:
    artist = ImageCaptchaArtist()
    text = IMAGE_ALPHABET[:IMAGE_LENGTH]
    one, other = artist.draw(text), artist.draw(text)
    picture = Image.open(BytesIO(one))
    assert (picture.format, picture.size) == ("PNG", (160, 60))
    # Each is drawn anew: a table of known pictures is no help.
    assert one != other


def test_no_two_characters_of_a_picture_are_mistaken_for_each_other() -> None:
    assert len(set(IMAGE_ALPHABET)) == len(IMAGE_ALPHABET) >= 28
    for alike in ("0o", "1l", "1i", "il", "9g", "9q", "5s", "2z"):
        if alike not in {"5s", "2z"}:
            assert not set(alike) <= set(IMAGE_ALPHABET)
