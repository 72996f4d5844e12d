"""What is said of other sites and apps, byte for byte, and that nothing is said unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from menshen.wire.well_known import ENDPOINTS
from tests.harness import open_harness

PRINT = ":".join(["AB"] * 32)
ENVIRON = {
    "MENSHEN_PASSKEYS__RP_ID": "login.example",
    "MENSHEN_PASSKEYS__ORIGINS": json.dumps(
        ["https://login.example", "https://a.login.example", "https://shop.example", "android:apk-key-hash:" + "A" * 43]
    ),
    "MENSHEN_PASSKEYS__ENROLL_URL": "https://login.example/keys/new",
    "MENSHEN_PASSKEYS__ANDROID_APPS": json.dumps({"com.example.app": [PRINT]}),
    "MENSHEN_PASSKEYS__IOS_APPS": json.dumps(["TEAMID1234.com.example.app"]),
}
SAID = {
    "/.well-known/webauthn": {"origins": ["https://shop.example"]},
    "/.well-known/passkey-endpoints": {"enroll": "https://login.example/keys/new"},
    "/.well-known/assetlinks.json": [
        {
            "relation": ["delegate_permission/common.get_login_creds", "delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": "com.example.app",
                "sha256_cert_fingerprints": [PRINT],
            },
        }
    ],
    "/.well-known/apple-app-site-association": {"webcredentials": {"apps": ["TEAMID1234.com.example.app"]}},
}


def test_each_statement_has_its_endpoint() -> None:
    assert {endpoint.path for endpoint in ENDPOINTS} == set(SAID)


async def test_what_the_settings_name_is_said(tmp_path: Path) -> None:
    async with open_harness(tmp_path, ENVIRON) as h:
        for path, said in SAID.items():
            got = await h.client.get(path)
            assert (got.status_code, got.json()) == (200, said)
            assert got.headers["content-type"] == "application/json"
            assert (await h.client.head(path)).status_code == 200
            refused = await h.client.post(path)
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        for path in ("/.well-known/webauthn/", "/.well-known/openid-configuration", "/.well-known/"):
            assert (await h.client.get(path)).status_code == 404


@pytest.mark.parametrize("only", ["", "IOS_APPS"])
async def test_what_they_do_not_name_is_not_there(tmp_path: Path, only: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if only and name.endswith(only)}
    async with open_harness(tmp_path, environ) as h:
        for path in SAID:
            got = await h.client.get(path)
            if only and path.endswith("association"):
                assert got.status_code == 200
            else:
                assert (got.status_code, got.content) == (404, b'{"error":"not_found"}')


def test_a_start_without_them_imports_nothing_of_it() -> None:
    code = "import sys, menshen.app.asgi; print([name for name in sys.modules if name.startswith('menshen.wire.well')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
