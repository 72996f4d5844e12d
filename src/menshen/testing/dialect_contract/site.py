"""Run a dialect over scripted flows, one request after another."""

from __future__ import annotations

import importlib
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from menshen.core.tokens import TOKEN_BYTES, spell
from menshen.testing.scripted_flows import PASSWORD_LOGIN, ScriptedFlows
from menshen.wire.dialect import Dialect, DialectContext
from menshen.wire.examples import Answer, Examples, Request


@dataclass
class DialectSite:
    """Hold what each test of the dialect contract gets: a dialect, its examples, and flows that the test scripts."""

    dialect: Dialect
    script: ScriptedFlows = field(default_factory=ScriptedFlows)

    def module(self, name: str) -> Any:
        """Import a module of the dialect's package."""
        return importlib.import_module(f"menshen.wire.{self.dialect.name}.{name}")

    @property
    def examples(self) -> Examples:
        """Return the dialect's examples."""
        examples: Examples = self.module("examples").EXAMPLES
        return examples

    def new_token(self) -> str:
        """Return a token as this dialect spells them."""
        return spell(b"k" * TOKEN_BYTES, self.dialect.rules.style)

    async def send(self, request: Request, language: str = "") -> Answer:
        """Send one request to a fresh application of the dialect, and return its whole answer.

        Raises:
            AssertionError: the application raised something in place of an answer.
        """
        context = DialectContext(self.script.flows(), trusted_proxies=0, token_bytes=lambda count: bytes(range(count)))
        if language:
            request = request.with_header("accept-language", language)
        headers = [("host", "login.example"), *request.headers]
        if request.body:
            headers.append(("content-length", str(len(request.body))))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.verb,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": request.query.encode(),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": ("192.0.2.1", 40_000),
        }
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        try:
            await self.dialect.build(context)(scope, receive, send)
        except Exception as error:
            raise AssertionError(f"{request.verb} {request.path} let {error!r} out") from error
        return _answer(sent)

    async def log_in(self, username: str = "alice1", password: str = "Secret-12", language: str = "") -> Answer:
        """Send the example of a login."""
        request = self.examples.login(self.script.app, username, password, self.script.now)
        return await self.send(request, language)

    async def read_account(self, token: str) -> Answer:
        """Send the example of a call that needs a login."""
        return await self.send(self.examples.account(self.script.app, token, self.script.now))

    def refused(self, answer: Answer) -> str:
        """Return what a refusal says, once it is known to be one in the style of the dialect.

        Raises:
            AssertionError: the answer is no refusal in the style of the dialect, or its HTTP status says otherwise.
        """
        said = self.examples.refusal(answer)
        assert said, f"{answer.status} {answer.body!r} is no refusal in the style of {self.dialect.name}"
        if self.examples.http_statuses:
            assert answer.status >= 400, f"a refusal with the HTTP status {answer.status}"
        return said

    async def fault(self) -> str:
        """Return what the dialect says when the program itself is at fault."""
        broken = DialectSite(self.dialect)
        broken.script.answers[PASSWORD_LOGIN] = RuntimeError("a fault of the program")
        return broken.refused(await broken.log_in())

    async def refused_calmly(self, answer: Answer) -> str:
        """Return the same as `refused`, for a refusal that is the client's fault and not the program's.

        Raises:
            AssertionError: as `refused`, or the dialect says that the program is at fault.
        """
        said = self.refused(answer)
        assert said != await self.fault(), "a fault of the program"
        assert answer.status < 500, f"HTTP {answer.status} for what the client did wrong"
        return said


def speaks(said: str, language: str) -> bool:
    """Say whether a sentence is in this language: "zh" has Chinese characters, "en" has ASCII only."""
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in said)
    return chinese if language == "zh" else said.isascii() and not chinese


def _answer(sent: Sequence[MutableMapping[str, Any]]) -> Answer:
    start, *rest = sent
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"])
    return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in rest))
