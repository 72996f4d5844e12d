"""Define behaviour tests: the built-in one, and those of vendors. (docs/contracts/core.md section 4.)

The built-in test makes and checks challenges without any state until they are solved. A vendor makes its own challenge
in the browser, and is asked afterwards whether the token that came back is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from menshen.core.gates.captcha import ProofOfWork, Solved
from menshen.core.time import Instant
from menshen.ports.outward import NotReached, Unknown


class CaptchaProvider(Protocol):
    """Make and check challenges: the built-in proof of work."""

    def challenge(self, *, app_id: int, network: str, difficulty: int, now: Instant, basis: str = "") -> ProofOfWork:
        """Return a new challenge, bound to app and network, valid `CHALLENGE_LIFETIME`. Difficulty 1 is the easiest.

        `basis` comes back in what was solved. A client cannot change it.
        """
        ...

    def recognizes(self, payload: str) -> bool:
        """Return whether `payload` has the form of this test's payloads, solved or not. Never raises, for any text.

        It tells them from the tokens of vendors: none has that form.
        """
        ...

    def check(self, payload: str, now: Instant) -> Solved | None:
        """Return the content of a solved payload, or None. Never raises, for any text."""
        ...


@dataclass(frozen=True, slots=True)
class Passed:
    """Say that the vendor accepts the token. The token also fits the host, the action and the time of the request."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Say that the token is not valid. `reason` is a word of the program for the log, never a text of the vendor."""

    reason: str


VendorVerdict = Passed | Failed | NotReached | Unknown
"""How asking a vendor ends. `NotReached`: no question reached the vendor. `Unknown`: a question may have
reached it, and it gave no verdict. Neither is ever a pass."""


class CaptchaVendor(Protocol):
    """Define a vendor of captchas. Its type is one file in `menshen.adapters.captcha.vendors`."""

    async def verify(
        self, payload: str, *, hosts: frozenset[str], action: str, client_ip: str, now: Instant
    ) -> VendorVerdict:
        """Ask the vendor once whether a token is good. It raises nothing, for any text and any answer.

        `payload` is what the client sent. A text that no page of the vendor makes is `Failed`, without a question.
        `hosts` are the names of pages that may have shown the test, `action` what it was shown for ("" = not asked).
        `client_ip` is the client's address, "" where the vendor must not get it. `now` is epoch ms.
        The caller spends the token before this call: a vendor that takes a token twice is no harm.
        """
        ...


@runtime_checkable
class NamesTokens(Protocol):
    """Define what a vendor offers besides whose payloads can be spelt in several ways, as JSON can."""

    def token_of(self, payload: str) -> str:
        """Return what names the token in `payload`: the same text for all spellings of one token.

        For a text that no page of the vendor makes, it returns `payload`. It raises nothing.
        """
        ...


class ImageArtist(Protocol):
    """Draw a text that people can read and programs should not."""

    def draw(self, text: str) -> bytes:
        """Return a PNG."""
        ...
