"""Check that tests patch nothing that can be handed in: the few patches that are left say why."""

import ast
from collections import Counter

from tests.architecture.papers import ROOT

ALLOWED = {
    "tests/adapters/hashing/test_hashing.py": 1,
    "tests/adapters/storage/test_statements.py": 1,
    "tests/adapters/storage/test_store_contract.py": 1,
    "tests/attacks/enumeration/test_refusal_floor.py": 1,
    "tests/attacks/exhaustion/test_parsing.py": 1,
    "tests/attacks/hash_costs.py": 1,
    "tests/cli/conftest.py": 1,
    "tests/cli/test_greeting.py": 2,
    "tests/cli/test_manners.py": 1,
    "tests/costs/counting.py": 3,
}
"""How many attributes each file patches. What a test can hand in (`tests/substitutes.py`) is not added here."""


def patches_in(text: str) -> list[int]:
    """Give the lines of `text` that patch an attribute."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"setattr", "delattr"}
        and "patch" in ast.unparse(node.func.value)
    ]


def has_reason(text: str, line: int) -> bool:
    """Say whether a comment `# Patched: why` stands right above `line`."""
    above = text.splitlines()[: line - 1]
    while above and above[-1].strip().startswith("#"):
        if above.pop().strip().startswith("# Patched: "):
            return True
    return False


SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")}


def test_only_these_files_patch_and_no_more_than_so() -> None:
    found = Counter({name: len(lines) for name, text in SOURCES.items() if (lines := patches_in(text))})
    assert found == Counter(ALLOWED)


def test_each_patch_says_why() -> None:
    silent = [f"{name}:{line}" for name, text in SOURCES.items() for line in patches_in(text)
              if not has_reason(text, line)]  # fmt: skip
    assert silent == []


def test_a_patch_without_a_reason_is_found() -> None:
    text = "def test(monkeypatch):\n    # Why not.\n    monkeypatch.setattr(a, 'b', 1)\n"
    assert patches_in(text) == [3]
    assert not has_reason(text, 3)
    assert has_reason(text.replace("Why not", "Patched: no seam"), 3)
