"""Drive Debian's Chromium over its own pipe: no library, no port, nothing fetched.

`--remote-debugging-pipe` reads JSON that ends in NUL from descriptor 3, and writes to descriptor 4. (Chrome DevTools
Protocol.)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 60.0
"""How long an answer of the browser may take."""

_FLAGS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--metrics-recording-only", "--remote-debugging-pipe",
)  # fmt: skip


class PageError(Exception):
    """Report what a script on a page threw."""


def program() -> str:
    """Return the path of Chromium.

    Raises:
        AssertionError: there is none.
    """
    found = shutil.which("chromium")
    assert found, "install Debian's chromium"
    return found


class Page:
    """Hold one tab. `run` waits for a script's promise, and returns its JSON value."""

    def __init__(self, browser: Browser, session: str) -> None:
        """Take a session of the browser that is attached to the tab."""
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol for this tab."""
        return self._browser.call(method, self._session, **parameters)

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        failed = self.call("Page.navigate", url=url).get("errorText")
        assert not failed, failed
        until = time.monotonic() + SECONDS
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            assert time.monotonic() < until, f"{url} does not load"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """Evaluate an expression, as after a click of the person.

        Raises:
            PageError: it threw, with the name and the message of the error.
        """
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise PageError(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")


class Browser:
    """Hold a started Chromium."""

    def __init__(self, folder: Path) -> None:
        """Start it, with its own files in `folder`."""
        read_commands, self._write = os.pipe()
        self._read, write_answers = os.pipe()
        # The child's 3 and 4 are set by bash: Python gives on no descriptor under another number, and sh knows
        # numbers of one digit only.
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", f'exec "$0" "$@" 3<&{read_commands} 4>&{write_answers}', program(), *_FLAGS,
             f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(read_commands, write_answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, env={**os.environ, "HOME": str(folder)},
        )  # fmt: skip
        os.close(read_commands)
        os.close(write_answers)
        os.set_blocking(self._read, False)
        self._buffer = b""
        self._last = 0

    def call(self, method: str, session: str = "", **parameters: Any) -> Any:
        """Call a method of the protocol, and return its result.

        Raises:
            AssertionError: the browser refused it, ended, or did not answer in time.
        """
        self._last += 1
        command: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._last:
            continue
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def new_page(self) -> Page:
        """Open a tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        page.call("Page.enable")
        page.call("Runtime.enable")
        return page

    def _receive(self) -> dict[str, Any]:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            assert time.monotonic() < until, "the browser does not answer"
            try:
                got = os.read(self._read, 1 << 20)
            except BlockingIOError:
                time.sleep(0.005)
                continue
            assert got, "the browser has ended"
            self._buffer += got
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        return message

    def close(self) -> None:
        """End it, with all of its processes."""
        for descriptor in (self._write, self._read):
            os.close(descriptor)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """Start a browser, and end it."""
    browser = Browser(folder)
    try:
        yield browser
    finally:
        browser.close()
