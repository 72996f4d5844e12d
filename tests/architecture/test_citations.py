"""Check that each citation leads somewhere (decision 0035), and that a broken one of each kind is found."""

import pytest

from tests.architecture.citations import Paper, broken, papers

CODE, PAGE = "src/menshen/core/tokens.py", "docs/security/asvs.md"


def test_each_citation_leads_somewhere() -> None:
    found = list(papers())
    assert len(found) > 500
    assert [why for paper in found for why in broken(paper)] == []


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        # files
        (CODE, '"""X.\n\n(docs/contracts/cores.md section 1.)\n"""', ":3: docs/contracts/cores.md is not there"),
        (CODE, "# See tests/core/test_gone.py.", ":1: tests/core/test_gone.py is not there"),
        (CODE, "# See docs/operate/operations.md#gone.", ":1: docs/operate/operations.md has no #gone"),
        (CODE, "# As `flows/gone.py` does.", ":1: flows/gone.py is not there"),
        (PAGE, "Guard: `tests/gone`.", ":1: tests/gone is not there"),
        (PAGE, "```\nrun\n```\nAs `flows/gone.py` does.", ":4: flows/gone.py is not there"),
        (PAGE, "By `tests/core/test_tokens.py::test_gone`.", ":1: tests/core/test_tokens.py has no test test_gone"),
        (PAGE, "x\n[gone](gone.md)", ":2: gone.md is not there"),
        (PAGE, "[limits](threat-model.md#gone)", ":1: docs/security/threat-model.md has no #gone"),
        # sections
        (CODE, "# docs/contracts/core.md section 9.", ":1: docs/contracts/core.md has no section 9"),
        (CODE, "# docs/contracts/core.md sections 1, 3.9 and 4", ":1: docs/contracts/core.md has no section 3.9"),
        (CODE, "# (docs/contracts/core.md\n# section 5.99.)", ":2: docs/contracts/core.md has no section 5.99"),
        (CODE, "# as section 5 says", ":1: section 5 of what?"),
        (PAGE, "[core](../contracts/core.md), section 9", ":1: docs/contracts/core.md has no section 9"),
        ("docs/contracts/weidu.md", "(section 9.9)", ":1: docs/contracts/weidu.md has no section 9.9"),
        # ids
        (CODE, "# (docs/security/attacks.md EN-99.)", ":1: docs/security/attacks.md has no EN-99"),
        (CODE, "# A race (RACE-0).", ":1: docs/security/attacks.md has no RACE-0"),
        (CODE, "# (docs/security/attacks.md 2F.)", ":1: docs/security/attacks.md has no 2F"),
        (CODE, "# (docs/security/attacks.md OA-10.)", ":1: docs/security/attacks.md has no OA-10"),
        (CODE, "# (docs/operate/reliability.md F1, F99.)", ":1: docs/operate/reliability.md has no F99"),
        ("tests/faults/test_kill.py", "# R99 holds.", ":1: docs/operate/reliability.md has no R99"),
        # decisions
        (CODE, "# Decision 0017.", ":1: there is no decision 0017"),
        (CODE, "# (decisions 0003 and\n# 0018.)", ":1: there is no decision 0018"),
        (PAGE, "as in 0003", ":1: 0003 is the number of what? Write `decision 0003`"),
        # papers that are not here
        (CODE, "# contracts/core.md section 1", "contracts/core.md leads out of the repository"),
        (CODE, "# design/security.md EN-2", "design/s leads out of the repository"),
        (CODE, "# ../shared/contracts", "../shared leads out of the repository"),
        (CODE, "# (ADR 0001)", "ADR leads out of the repository"),
        (CODE, "# (core.md section 1)", "core.md leads out of the repository"),
    ],
)
def test_a_broken_citation_is_found(path: str, text: str, told: str) -> None:
    found = broken(Paper(path, text))
    assert all(why.startswith(f"{path}:") for why in found)
    assert any(told in why for why in found), found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (CODE, "# (docs/contracts/core.md sections 1.2, 3 and 5.3, docs/security/attacks.md EN-2; decision 0030.)"),
        (CODE, "# (RFC 9110 sections 7.4 and 15.5.20; RFC 9700\n# section 4.14; ASVS 5.0 16.3.1 to 16.3.3.)"),
        (CODE, "# docs/operate/reliability.md F3 to F6, tests/attacks, decisions 0007 and 0025, UTF-8, SHA-256, F403"),
        (CODE, "# docs/operate/operations.md#from-sqlite-to-postgresql"),
        (
            PAGE,
            "[core](../contracts/core.md), section 1.2, schema 0003, [0030](../decisions/0030-refusals-are-level.md)",
        ),
        (PAGE, "`app/world.py`, `tests/core/test_tokens.py`, mode 0600, deploy/compose.env, RE:0006"),
        ("docs/contracts/weidu.md", "(section 5.10) and sections 2.1, 3.1"),
    ],
)
def test_a_good_citation_is_left_alone(path: str, text: str) -> None:
    assert broken(Paper(path, text)) == []
