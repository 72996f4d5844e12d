"""Test logins whose first proof was right, and that need a second step. (docs/contracts/factors.md sections 2 and 11.)

A dialect may have calls that take the ticket. One without them says where to go on. Neither is a login yet.
"""

from __future__ import annotations

from collections.abc import Iterator

from menshen.core.login.outcomes import StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import SECOND, after
from menshen.testing.dialect_contract.site import DialectSite, speaks
from menshen.testing.dialect_contract.tokens import carried, elsewhere
from menshen.testing.scripted_flows import PASSWORD_LOGIN
from menshen.wire.examples import Answer

_REFUSED = (
    None,
    Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=4),
    Denied(ProblemCode.TOO_MANY_REQUESTS, retry_after=60),
)
_BROWSER = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "origin": "http://login.example"}


class StepsContract:
    """Test what a client receives in place of a session."""

    async def test_a_second_step_is_refused_in_words_and_is_no_login(self, site: DialectSite) -> None:
        token = site.new_token()
        site.script.grant(site.dialect.name, token)
        granted = await site.log_in()
        for needed in _forms(token[::-1], site):
            site.script.answers[PASSWORD_LOGIN] = needed
            for language in site.examples.languages:
                answer = await site.log_in(language=language)
                said = await site.refused_calmly(answer)
                assert speaks(said, language), said
                assert not site.examples.token(answer)
                assert answer.status != granted.status or not site.examples.http_statuses

    async def test_a_ticket_takes_no_place_of_a_token(self, site: DialectSite) -> None:
        """Demand that neither header nor cookie carries it, and that nothing is set that a login sets."""
        token = site.new_token()
        site.script.grant(site.dialect.name, token)
        by_login = _set_by(await _browse(site))
        ticket = token[1:] + "b"
        for needed in _forms(ticket, site):
            site.script.answers[PASSWORD_LOGIN] = needed
            for answer in (await site.log_in(), await _browse(site)):
                assert not [name for name, value in answer.headers if ticket in value]
                assert not _set_by(answer) & by_login
                assert answer.header("cache-control") == "no-store"

    async def test_a_ticket_opens_no_account(self, site: DialectSite) -> None:
        ticket = site.new_token()
        site.script.answers[PASSWORD_LOGIN] = next(_forms(ticket, site))
        answer = await site.log_in()
        await site.refused_calmly(await site.read_account(ticket))
        for place, request in (*carried(site, ticket, answer), *elsewhere(site, ticket)):
            assert site.examples.refusal(await site.send(request)), place


def _forms(ticket: str, site: DialectSite) -> Iterator[StepNeeded]:
    """Yield each form of the outcome: with factors, with a wrong code that came along, and with an enrolment."""
    until = after(site.script.now, 300 * SECOND)
    for refused in _REFUSED:
        yield StepNeeded(ticket, ("passkey", "totp", "recovery"), until, cookie="c" * 26, refused=refused)
    yield StepNeeded(ticket, (), until, enroll=True, phone="138****0001", cookie="c" * 26)


async def _browse(site: DialectSite) -> Answer:
    """Log in as the page of a browser does."""
    request = site.examples.login(site.script.app, "alice1", "Secret-12", site.script.now)
    for name, value in _BROWSER.items():
        request = request.with_header(name, value)
    return await site.send(request)


def _set_by(answer: Answer) -> set[str]:
    """Return the names of the cookies that an answer sets, and of a header that hands out a token."""
    cookies = {value.partition("=")[0] for name, value in answer.headers if name == "set-cookie" and _is_set(value)}
    return cookies | {name for name, _ in answer.headers if name == "token"}


def _is_set(cookie: str) -> bool:
    """Say whether a Set-Cookie line gives a value: a line that clears one sets nothing."""
    return cookie.partition(";")[0].partition("=")[2] != ""
