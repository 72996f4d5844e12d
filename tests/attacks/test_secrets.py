"""2M: no secret is in a log, a row, an answer or a backup where it could be used."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.sealing import KeyringSealer
from menshen.core.keys import Keyring
from tests.attacks.rows import columns, tables
from tests.end_to_end.clients import FORM, WEIDU, captcha_token, curl_d
from tests.harness import KEYRING, Harness
from tests.server import MENSHEN, Server, running
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client, said

PHONE = "13544285663"
CANARY = "Canary7f3a91"


def wander(server: Server) -> dict[str, str]:
    """Walk through everything with secrets that nobody else has; what was handed out on the way."""
    seen: dict[str, str] = {}
    server.menshen("app", "add", "shop", "--appkey", "12121212", "--secret", f"{CANARY}-app-secret-0123")
    server.menshen("account", "add", "--username", "alice1", "--password-stdin", stdin=f"{CANARY}-password")
    login = server.call(
        "POST", f"{WEIDU}/users/login", json.dumps({"login_id": "alice1", "password": f"{CANARY}-password"})
    )
    assert login.status == 200
    seen["token"] = login.one("Token")
    cookies = dict(line.partition(";")[0].split("=", 1) for line in login.all("Set-Cookie"))
    seen["csrf"] = cookies["menshenCSRF"]
    seen["captcha"] = captcha_token(server)
    curl_d(server, f"{WEIDU}/users/mobile/sms", json.dumps({"mobile": PHONE, "captcha_token": seen["captcha"]}))
    seen["code"] = str(json.loads(server.menshen("outbox", "--to", PHONE, "--json"))[-1]["code"])
    body = {"login_id": PHONE, "sms_code": seen["code"], "captcha_token": seen["captcha"]}
    by_code = curl_d(server, f"{WEIDU}/users/mobile/login", json.dumps(body))
    seen["code token"] = by_code.one("Token")
    form = f"method=login.user.user&appkey=12121212&username=alice1&password={CANARY}-password&platform=pc"
    held = server.call("POST", "/api/v1/user", form, FORM).json()["data"]["token"]
    seen["shop token"], seen["refresh"] = held["token"], held["refresh"]
    return seen


def stumble(server: Server, seen: dict[str, str]) -> list[bytes]:
    """The same secrets where they do not belong: broken bodies, headers, paths. What was answered."""
    odd = [f"{CANARY}-odd", *seen.values()]
    answers = []
    for secret in odd:
        quoted = json.dumps(secret)
        raws = (
            f'{{"login_id":{quoted},"password":{quoted}', f'{{"login_id":{quoted},"password":[{quoted}]}}',
            f"[{quoted}]", f'{{"login_id":{quoted},"password":"{"x" * 20000}"}}', f'{{"{secret}":1,"{secret}":2}}',
            f'{{"password":{quoted},"\\ud800":1}}',
        )  # fmt: skip
        answers += [server.call("POST", f"{WEIDU}/users/login", raw).body for raw in raws]
        headers = {
            "Authorization": f"Bearer {secret}x",
            "Cookie": f"menshenAUTHTOKEN={secret}x",
            "X-CSRF-Token": secret,
        }
        for path in ("/auth/verify", f"{WEIDU}/users/info", f"{WEIDU}/users/logout", "/nothing"):
            answers += [server.call(verb, path, headers=headers).body for verb in ("GET", "POST")]
        fields = "&".join(f"{name}={secret}" for name in ("username", "password", "platform", "sign", "token"))
        form = f"method=login.user.user&appkey=12121212&{fields}"
        answers.append(server.call("POST", "/api/v1/user", form, FORM).body)
        with socket.create_connection(server.address, 60) as client:
            client.sendall(f"POST /{secret} HTTP/1.1\r\nHost: localhost\r\n{secret}\r\n\r\n".encode())
            answers.append(client.recv(4096))
    return answers


@pytest.mark.attack("LG-1")
def test_no_secret_of_a_whole_run_is_found_anywhere(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--config", str(_debugging(tmp_path))) as server:
        seen = wander(server)
        answers = stumble(server, seen)
        shown = [server.call("GET", path).body.decode() for path in ("/metrics", "/openapi.json", "/readyz")]
        shown += [
            server.menshen(*words)
            for words in (
                ("audit", "--json"), ("account", "show", "alice1", "--json"),
                ("account", "sessions", "alice1", "--json"),
                ("app", "list", "--json"), ("app", "show", "shop", "--json"), ("account", "risk", "alice1", "--json"),
                ("sms-report", "--json"), ("check", "--json"),
            )
        ]  # fmt: skip
        keys = (server.data / "keys.toml").read_text()
        secrets = re.findall(r'secret = "([0-9a-f]{64})"', keys)
        assert len(secrets) == 2
        files = {
            str(path.relative_to(tmp_path)): path.read_bytes()
            for path in tmp_path.rglob("*")
            if path.is_file() and path.name != "keys.toml"
        }
    log = server.log.read_bytes()
    hunted = [CANARY, *(value for name, value in seen.items() if name != "code"), *secrets]
    for name, raw in {**files, "log": log}.items():
        for secret in hunted:
            assert secret.encode() not in raw, (name, secret[:6])
    everything = b"\n".join(answers) + "\n".join(shown).encode()
    for secret in hunted:
        assert secret.encode() not in everything, secret[:6]
    # Six digits may stand in any number: they are hunted where they would stand alone, as is the phone.
    texts = log.decode() + "\n".join(shown)
    assert not re.search(rf"(?<![0-9A-Za-z.:+-]){seen['code']}(?![0-9A-Za-z.:-])", texts)
    assert PHONE not in texts
    assert "Traceback" not in texts


def _settle(server: Server) -> None:
    """An account with a phone and a password."""
    server.menshen(
        "account", "add", "--username", "alice1", "--phone", PHONE, "--verified", "--password-stdin", stdin=PASSWORD
    )


def _debugging(folder: Path) -> Path:
    """Everything is logged that can be."""
    path = folder / "debug.toml"
    path.write_text('[log]\nlevel = "debug"\n')
    return path


@pytest.mark.attack("LG-2")
async def test_no_answer_holds_or_finds_by_a_hash(harness: Harness) -> None:
    account = await harness.add_account("alice1", phone=PHONE, email="a@b.example", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    client, other, shop = Client(harness), Client(harness), Shop(harness)
    texts = [(await client.log_in("alice1")).text]
    await other.log_in("bobby1")
    held = await shop.log_in("alice1", PASSWORD)
    token = held["token"]["token"]
    texts.append(json.dumps(held["user"]))
    texts += [(await client.get(path)).text for path in ("/users/info", "/users/sessions")]
    texts.append((await other.get(f"/users/info?user_id={account.public_id}")).text)
    for method in ("get.user.info", "get.user.item"):
        answer = await shop.send(method, client_id="1", token=token)
        texts += [answer.text]
    hashed = account.password_hash
    for text in texts:
        assert "argon2" not in text
        assert hashed[-20:] not in text
        assert not re.search(r'"[^"]*(?:hash|digest|sealed|secret)[^"]*":', text)
    for secret in (hashed, hashed[-43:], hashlib.sha256(client.token.encode()).hexdigest()):
        assert said(await other.get(f"/users/info?user_id={secret}"))[0] in {400, 404}
    # Others see no phone and no address.
    assert PHONE not in texts[4]
    assert "a@b.example" not in texts[4]


@pytest.mark.attack("LG-3")
async def test_a_copy_of_the_database_logs_nobody_in(harness: Harness) -> None:
    """Every value of every row is tried as a token; the digests are tried with everything but the keys."""
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    await client.log_in("alice1")
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    code, token = await client.code(PHONE)
    dump = tables(harness.data_dir)
    values: set[str] = set()
    for value in (value for rows in dump.values() for row in rows for value in row):
        if isinstance(value, bytes):
            values |= {value.hex(), value.decode("latin-1"), value.decode("ascii", "ignore")}
        elif value is not None:
            values.add(str(value))
    for value in values:
        for name, line in ((b"authorization", f"Bearer {value}"), (b"cookie", f"menshenAUTHTOKEN={value}")):
            raw = line.encode("latin-1", "ignore").replace(b"\r", b"").replace(b"\n", b"")
            assert (await harness.client.get("/auth/verify", headers=[(name, raw)])).status_code == 401
    text = str(dump)
    for secret in (client.token, held["token"], held["refresh"], token, harness.app.secret, code):
        assert secret not in text or secret == code
    # The code's digest needs a key that is not there: a million guesses against the row find nothing.
    stored = {row_value for row in dump["codes"] for row_value in row if isinstance(row_value, bytes)}
    for made in (hashlib.sha256, hashlib.md5, hashlib.sha1, hashlib.blake2b):
        assert not any(made(f"{prefix}{code}".encode()).digest() in stored for prefix in ("", PHONE, f"+86{PHONE}"))
    # And with the keys of another installation nothing opens.
    foreign = KeyringSealer(Keyring((type(KEYRING.keys[0])("test", b"x" * 32),), KEYRING.index))
    for table in ("apps", "outbox"):
        for sealed in (v for row in dump[table] for v in row if isinstance(v, bytes)):
            with pytest.raises(Exception, match=r"altered|no sealed value"):
                foreign.open(sealed)


@pytest.mark.attack("LG-4")
def test_a_restored_backup_revives_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        server.menshen(
            "account", "add", "--username", "alice1", "--phone", PHONE, "--verified", "--password-stdin", stdin=PASSWORD
        )
        body = json.dumps({"login_id": "alice1", "password": PASSWORD})
        live = server.call("POST", f"{WEIDU}/users/login", body).one("Token")
        captcha = captcha_token(server)
        curl_d(server, f"{WEIDU}/users/mobile/sms", json.dumps({"mobile": PHONE, "captcha_token": captcha}))
        code = json.loads(server.menshen("outbox", "--to", PHONE, "--json"))[-1]["code"]
        server.menshen("backup", str(tmp_path / "night.db"))
        used = json.dumps({"login_id": PHONE, "sms_code": code, "captcha_token": captcha})
        assert curl_d(server, f"{WEIDU}/users/mobile/login", used).status == 200
        server.stop()
        server.menshen("restore", str(tmp_path / "night.db"))
    with running(tmp_path / "data") as server:
        assert server.call("GET", "/auth/verify", headers={"Authorization": f"Bearer {live}"}).status == 401
        # Unused when the backup was made, and used since: nobody can tell, so it is dead.
        assert curl_d(server, f"{WEIDU}/users/mobile/login", used).status in {401, 428}
        assert server.call("POST", f"{WEIDU}/users/login", body).status == 200


@pytest.mark.attack("LG-5")
def test_files_are_their_owners_alone(served: Server, tmp_path: Path) -> None:
    assert served.data.stat().st_mode & 0o777 == 0o700
    files = [path for path in served.data.rglob("*") if path.is_file()]
    assert {"menshen.db", "keys.toml"} <= {path.name for path in files}
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600, path.name
    copied = tmp_path / "data"
    shutil.copytree(served.data, copied)
    (copied / "keys.toml").chmod(0o644)
    refused = subprocess.run(
        [MENSHEN, "app", "list", "--data", str(copied)], capture_output=True, text=True, check=False, env=served.environ
    )
    assert refused.returncode == 1
    assert "can be read by others" in refused.stderr
    assert not re.search(r"[0-9a-f]{64}", refused.stderr)


@pytest.mark.attack("LG-6")
def test_no_refusal_tells_of_paths_statements_or_code(served: Server) -> None:
    bodies = [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"login_id":1}',
        b"null",
        b'{"a":' * 50,
        b"x" * 20_000,
        b'{"login_id":"\\ud800"}',
    ]
    said_by: list[str] = []
    for path in (
        f"{WEIDU}/users/login",
        f"{WEIDU}/users/mobile/sms",
        "/api/v1/user",
        "/api/batch",
        "/auth/verify",
        "/x",
        "/metrics",
    ):
        for body in bodies:
            answers = [served.call(verb, path, body) for verb in ("POST", "GET", "PUT", "BREW")]
            said_by += [answer.body.decode("utf-8", "replace") for answer in answers]
    told = "\n".join(said_by)
    assert not re.search(
        r"\.py\b|Traceback|sqlite|postgres|SELECT |INSERT |UPDATE |/home|/tmp|/usr|site-packages|menshen\.|line [0-9]+",
        told, re.IGNORECASE,
    )  # fmt: skip
    assert str(served.data) not in told


SECRET_COLUMNS = {
    ("accounts", "password_hash"): "argon2id text with its own salt and parameters",
    ("sessions", "token_digest"): "SHA-256 of 128 random bits",
    ("sessions", "refresh_digest"): "SHA-256 of 128 random bits",
    ("sessions", "successor_sealed"): "XChaCha20-Poly1305 under the spent pair and a key outside the database",
    ("spent_refreshes", "digest"): "SHA-256 of 128 random bits",
    ("imported_tokens", "digest"): "SHA-256 of 128 random bits",
    ("revocations", "token_digest"): "SHA-256 of 128 random bits",
    ("codes", "asked_by"): "HMAC-SHA256 of a network under a key outside the database",
    ("codes", "code_mac"): "HMAC-SHA256 of 20 bits under a key outside the database",
    ("codes", "captcha"): "SHA-256 of 128 random bits, or of a network",
    ("captcha_passes", "digest"): "SHA-256 of 128 random bits",
    ("captcha_images", "digest"): "SHA-256 of 128 random bits",
    ("captcha_images", "answer_mac"): "HMAC-SHA256 of 19 bits under a key outside the database",
    ("apps", "secret_sealed"): "XChaCha20-Poly1305 under a key outside the database",
    ("outbox", "topic"): "HMAC-SHA256 of app, purpose and receiver under a key outside the database",
    ("outbox", "body_sealed"): "XChaCha20-Poly1305 under a key outside the database",
    ("counters", "key"): "HMAC-SHA256 of whom it counts under a key outside the database",
    ("quota_uses", "key"): "HMAC-SHA256 of whom it counts under a key outside the database",
    ("known_devices", "device"): "SHA-256 of the device's own id",
    ("factors", "secret_sealed"): "XChaCha20-Poly1305 of number, kind and secret under a key outside the database",
    ("factors", "begun_sealed"): "XChaCha20-Poly1305 of number, kind and secret under a key outside the database",
    ("passkeys", "credential"): "the name of a key pair; authenticators give it to the sites that ask",
    ("passkeys", "public_key"): "the public half of a key pair",
    ("passkey_handles", "handle"): "256 random bits that name an account to an authenticator; they prove nothing",
    ("recovery_codes", "mac"): "HMAC-SHA256 of the account and 60 random bits under a key outside the database",
    ("pending_logins", "ticket"): "SHA-256 of 128 random bits",
    ("pending_logins", "device"): "SHA-256 of the device's own id",
    ("pending_logins", "replaces"): "SHA-256 of 128 random bits",
    ("pending_logins", "cookie"): "SHA-256 of 128 random bits",
    ("trusted_devices", "digest"): "SHA-256 of 128 random bits",
    ("security_links", "digest"): "SHA-256 of 128 bits of an HMAC",
    ("trusted_devices", "device"): "SHA-256 of the device's own id",
    ("spent_trusts", "digest"): "SHA-256 of 128 random bits",
}
WORDS = re.compile(r"digest|mac\b|_mac|sealed|secret|hash|token|code|captcha|key\b|password|device$", re.ASCII)
NO_SECRET = {
    ("accounts", "password_version"), ("accounts", "password_changed_at"), ("apps", "appkey"), ("apps", "captcha"),
    ("apps", "captcha_vendor"), ("apps", "password_min"), ("installation", "oldest_program"),
    ("app_logos", "digest"), ("pending_logins", "password_version"),
}  # fmt: skip


@pytest.mark.attack("LG-7")
async def test_every_column_that_holds_a_secret_says_how(harness: Harness) -> None:
    known = set(columns(harness.data_dir))
    assert set(SECRET_COLUMNS) <= known
    suspicious = {pair for pair in known if WORDS.search(pair[1])}
    assert suspicious - set(SECRET_COLUMNS) - NO_SECRET == set()
    # Whatever is bytes is a digest or sealed, and named above.
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    await Client(harness).code(PHONE)
    await Shop(harness).log_in("alice1", PASSWORD)
    for table, rows in tables(harness.data_dir).items():
        names = [column for where, column in columns(harness.data_dir) if where == table]
        for row in rows:
            for name, value in zip(names, row, strict=True):
                assert not isinstance(value, bytes) or (table, name) in SECRET_COLUMNS, (table, name)


@pytest.mark.attack("LG-3")
def test_a_browser_and_a_code_outlive_a_rotation(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        server.menshen(
            "account", "add", "--username", "alice1", "--phone", PHONE, "--verified", "--password-stdin", stdin=PASSWORD
        )
        login = server.call("POST", f"{WEIDU}/users/login", json.dumps({"login_id": "alice1", "password": PASSWORD}))
        cookies: dict[str, Any] = dict(line.partition(";")[0].split("=", 1) for line in login.all("Set-Cookie"))
        captcha = captcha_token(server)
        curl_d(server, f"{WEIDU}/users/mobile/sms", json.dumps({"mobile": PHONE, "captcha_token": captcha}))
        code = json.loads(server.menshen("outbox", "--to", PHONE, "--json"))[-1]["code"]
        server.menshen("keys", "rotate")
        server.stop()
    with running(tmp_path / "data") as server:
        assert (
            server.call("GET", "/auth/verify", headers={"Authorization": f"Bearer {login.one('Token')}"}).status == 204
        )
        body = json.dumps({"login_id": PHONE, "sms_code": code, "captcha_token": captcha})
        assert curl_d(server, f"{WEIDU}/users/mobile/login", body).status == 200
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": cookies["menshenCSRF"], "Content-Type": "application/json",
        }  # fmt: skip
        assert server.call("PUT", f"{WEIDU}/users/update", '{"nickname":"x"}', headers).status == 200
