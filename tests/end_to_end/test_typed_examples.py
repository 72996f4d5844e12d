"""Examples that the pages say can be typed: each is typed as it stands, into a shell, beside a started server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server, running

ROOT = Path(__file__).parents[2]
PAGES = {
    "docs/clients/careyshop.md": "sign",
    "docs/zh/careyshop-api.md": "sign",
    "docs/clients/weidu.md": "device-sign",
}
PASSWORD = "correct horse battery"
_TYPED = re.compile(r"<!-- typed: ([a-z-]+) -->\n```\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def typed(page: str) -> str:
    """The one example of a page that can be typed."""
    ((name, text),) = _TYPED.findall((ROOT / page).read_text("utf-8"))
    assert name == PAGES[page]
    return str(text)


def in_a_shell(text: str, server: Server) -> str:
    """What the example prints last. Only the port is another: 8400 may be taken on this machine."""
    if "curl" in text and shutil.which("curl") is None:
        pytest.skip("this machine has no curl")
    assert "http://127.0.0.1:8400/" in text or "curl" not in text
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text.replace(":8400/", f":{server.port}/")],
        cwd=ROOT,
        env={**os.environ, **server.environ, "MENSHEN_DATA": str(server.data)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the account of the quick start."""
    with running(tmp_path_factory.mktemp("typed") / "data") as made:
        arguments = ("--username", "ken_88", "--phone", "13544285663", "--verified", "--password-stdin")
        made.menshen("account", "add", *arguments, stdin=PASSWORD)
        yield made


@pytest.mark.parametrize("page", [page for page, name in PAGES.items() if name == "sign"])
def test_the_sign_is_made_by_what_the_page_says(page: str, shop: Server) -> None:
    answer = json.loads(in_a_shell(typed(page), shop))
    assert (answer["status"], answer["data"]["username"]) == (200, "ken_88")
    assert answer["data"]["last_ip_region"] == ""


def test_the_secret_counts_and_each_parameter_does(shop: Server) -> None:
    """So that the example does not pass by a sign that nobody looks at."""
    text = typed("docs/clients/careyshop.md")
    for good, bad in (('"$SECRET$joined$SECRET"', '"$SECRET${joined}x$SECRET"'), ("LC_ALL=C sort", "LC_ALL=C sort -r")):
        assert good in text
        assert json.loads(in_a_shell(text.replace(good, bad), shop))["message"] == "sign错误"


def test_the_device_sign_is_the_one_of_the_page(shop: Server) -> None:
    page = (ROOT / "docs/clients/weidu.md").read_text("utf-8")
    sign = in_a_shell(typed("docs/clients/weidu.md"), shop).strip()
    assert f"```\n{sign}\n```" in page
    body = {"login_id": "ken_88", "password": PASSWORD, "device_id": "d-1"}
    good = shop.call("POST", "/weidu/api/v1/users/login", json.dumps(body | {"device_sign": sign}))
    assert good.status == 200
    bad = shop.call("POST", "/weidu/api/v1/users/login", json.dumps(body | {"device_sign": sign[::-1]}))
    assert (bad.status, bad.json()["error"]) == (403, "device_sign_invalid")
