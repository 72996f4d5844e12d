"""The cryptography: each algorithm, the modules that use it, and what for."""

from __future__ import annotations

import ast
import re
from typing import Final

from tools.docs.markdown import code, codes, table
from tools.docs.sources import source_files

PURPOSES: Final = {
    "nacl.pwhash.argon2id": "Passwords: one lane, memory and passes by `[hash]`.",
    "nacl.secret.Aead": "XChaCha20-Poly1305 with a random nonce of 24 bytes: sealed values.",
    "hashlib.sha256": "Digests of tokens, device signs, message ids, styles of a CSP, names of logos, PKCE, tables.",
    "hashlib.blake2b": "Derivation of keys.",
    "hmac.digest": "Keyed digests.",
    "hmac.new": "Device signs by HMAC, signatures of what goes to a webhook and vendors, and of what Twilio pushes.",
    "uuid": "The form of a digest that keeps a captcha vendor from counting a question twice. No chance is in it.",
    "secrets": "All random numbers.",
    "ssl": "TLS to every server outside, with the trusted roots of the machine.",
    "altcha": "PBKDF2 as work to do. It guards no secret.",
    "webauthn": "Verifies signatures of passkeys: Ed25519, ECDSA over P-256, RSA from 2048 bits.",
    "pyotp": "TOTP by HMAC-SHA-1, as authenticator apps have it (RFC 6238).",
    "bcrypt": "Compatibility only: imported hashes, until the next right login.",
    "hashlib.md5": "Compatibility only: CareyShop's sign, device signs of 2020, imported hashes. Device ids of none.",
    "hashlib.sha1": "Compatibility only: imported hashes. Device ids of none.",
}
"""What each algorithm is for. One that the code uses and this table lacks stops `make docs`."""

_CALLS: Final = re.compile(r"\b(hashlib\.[a-z0-9_]+|hmac\.(?!compare_digest)[a-z]+)\(")
_IMPORTS: Final = {"nacl.secret": "nacl.secret.Aead", "nacl.pwhash": "nacl.pwhash.argon2id"}
_ALONE: Final = frozenset(
    ("bcrypt", "altcha", "secrets", "ssl", "random", "cryptography", "Crypto", "jwt", "OpenSSL", "uuid", "webauthn")
) | {"pyotp"}


def render() -> str:
    """Give each algorithm. PURPOSES and the code must name the same."""
    used: dict[str, list[str]] = {}
    for path, text in source_files():
        for name in sorted(algorithms_of(text)):
            used.setdefault(name, []).append(path)
    check_purposes(used)
    rows = [(code(name), purpose, codes(used[name])) for name, purpose in PURPOSES.items()]
    return table(("algorithm", "what for", "where in `src/menshen`"), rows)


def check_purposes(used: dict[str, list[str]]) -> None:
    """Refuse an algorithm without a purpose, and a purpose without use."""
    new = {name: paths for name, paths in used.items() if name not in PURPOSES}
    assert not new, f"new cryptography: say in {__name__}.PURPOSES what it is for: {new}"
    unused = PURPOSES.keys() - used.keys()
    assert not unused, f"nothing uses {sorted(unused)} any more: take it out of {__name__}.PURPOSES"


def algorithms_of(source: str) -> set[str]:
    """Find the cryptography that a module uses."""
    found = set(_CALLS.findall(source))
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            found |= {f"hashlib.{alias.name}" for alias in node.names if node.module == "hashlib"}
        found |= {_IMPORTS[module] for module in modules if module in _IMPORTS}
        found |= {module.partition(".")[0] for module in modules} & _ALONE
    return found
