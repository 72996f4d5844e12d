"""Test refusals: each reason has words in each language of the dialect, and no fault of the program is shown."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.testing.dialect_contract.site import DialectSite, speaks
from menshen.testing.scripted_flows import PASSWORD_LOGIN
from menshen.wire.examples import Request

SECRET = "canary-7f3a"


class RefusalsContract:
    """Test what a client receives when a flow refuses."""

    def test_its_table_is_total(self, site: DialectSite) -> None:
        assert set(site.module("problems").TABLE) == set(ProblemCode)

    async def test_each_reason_has_words_in_each_language(self, site: DialectSite) -> None:
        for code in ProblemCode:
            for denied in (Denied(code), Denied(code, retry_after=7, field="phone", least=8)):
                site.script.answers[PASSWORD_LOGIN] = denied
                for language in site.examples.languages:
                    said = site.refused(await site.log_in(language=language))
                    assert speaks(said, language), (code, said)
                    assert "{" not in said, (code, said)

    async def test_a_broken_precondition_is_said_as_the_refusal_that_it_carries(self, site: DialectSite) -> None:
        for code in (ProblemCode.UNAVAILABLE, ProblemCode.OVERLOADED):
            site.script.answers[PASSWORD_LOGIN] = Denied(code)
            denied = await site.log_in()
            site.script.answers[PASSWORD_LOGIN] = Problem(code, SECRET)
            raised = await site.log_in()
            assert (raised.status, site.refused(raised)) == (denied.status, site.refused(denied))
            assert SECRET.encode() not in raised.body

    async def test_a_fault_is_said_in_style_and_tells_nothing(self, site: DialectSite) -> None:
        site.script.answers[PASSWORD_LOGIN] = RuntimeError(SECRET)
        answer = await site.log_in()
        site.refused(answer)
        for told in (answer.body.decode(), str(answer.headers)):
            assert SECRET not in told
            assert "RuntimeError" not in told
        assert answer.status >= 500 or not site.examples.http_statuses

    async def test_an_unknown_path_is_refused(self, site: DialectSite) -> None:
        for path in ("", "/", "/no/such/path", "/%2e%2e/users", "/no?such", "/\x00", "//", "/" + "a" * 5000):
            answer = await site.send(Request("GET", site.dialect.prefix + path))
            await site.refused_calmly(answer)
            assert answer.status == 404 or not site.examples.http_statuses

    async def test_a_verb_that_no_route_has_is_refused(self, site: DialectSite) -> None:
        verbs: dict[str, set[str]] = {}
        for endpoint in site.dialect.endpoints:
            verbs.setdefault(endpoint.path, set()).update(endpoint.verb.split())
        for path, known in verbs.items():
            for verb in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - known:
                answer = await site.send(Request(verb, path.replace("{id}", "x1")))
                await site.refused_calmly(answer)
                if site.examples.http_statuses:
                    assert answer.status == 405
                    assert set(answer.header("allow").split(", ")) == known
        assert site.script.asked == []

    async def test_a_disabled_app_serves_nobody(self, site: DialectSite) -> None:
        token = site.new_token()
        site.script.grant(site.dialect.name, token)
        site.script.app = replace(site.script.app, disabled=True)
        await site.refused_calmly(await site.log_in())
        await site.refused_calmly(await site.read_account(token))
        for endpoint in site.dialect.endpoints:
            path = endpoint.path.replace("{id}", "x1")
            for verb in endpoint.verb.split():
                bare = Request(verb, path)
                await site.refused_calmly(await site.send(bare))
                await site.refused_calmly(await site.send(bare.with_header("authorization", f"Bearer {token}")))
        assert site.script.asked == []

    async def test_a_refusal_is_neither_stored_nor_sniffed(self, site: DialectSite) -> None:
        for answer in (await site.log_in(), await site.read_account("")):
            assert answer.header("cache-control") == "no-store"
            assert answer.header("x-content-type-options") == "nosniff"
