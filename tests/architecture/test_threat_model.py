"""Hold what docs/security/threat-model.md promises and no other test holds. `make docs` writes its tables."""

from __future__ import annotations

import re
from pathlib import Path

import menshen
from menshen.adapters.blocklist import CommonPasswords
from menshen.adapters.storage.sql.schema import catalogue
from tests.architecture.papers import links_in, missing, names_in, section, tables, text_of

PAGE = "docs/security/threat-model.md"
SOURCE = Path(menshen.__file__).parent


def test_every_promise_names_tests_that_are_there() -> None:
    (promises,) = tables(section(text_of(PAGE), "Promises"))
    for row in promises:
        references = names_in(row["tried by"])
        assert references, row["promise"]
        for reference in references:
            assert "::" in reference, f"{row['promise']}: a promise names its test"
            assert not missing(reference), f"{row['promise']}: {missing(reference)}"


def test_every_link_leads_somewhere() -> None:
    links = links_in(text_of(PAGE))
    assert "asvs.md" in links
    assert [missing(link, beside=PAGE) for link in links if missing(link, beside=PAGE)] == []


def test_the_list_of_common_passwords_is_as_long_as_they_say() -> None:
    """ASVS 5.0 6.2.4 asks for 3,000 that the policy would let through."""
    common = CommonPasswords()._words
    assert len(common) >= 30_000
    assert sum(len(word) >= 8 for word in common) > 3000


def test_nothing_reminds_of_a_password() -> None:
    """No hints and no questions: there is no column that could hold one. (ASVS 5.0 6.4.2.)"""
    columns = {column for table in catalogue.tables().values() for column in table.columns}
    assert "password_hash" in columns
    assert [name for name in columns if re.search("hint|question|pet|maiden", name)] == []


def test_nothing_is_logged_but_to_stderr_and_the_database() -> None:
    """ASVS 5.0 16.2.3: no handler writes to a file, a socket or a service."""
    handlers = re.compile(r"(FileHandler|RotatingFile|SocketHandler|SysLog|HTTPHandler|SMTPHandler)")
    assert [path.name for path in SOURCE.rglob("*.py") if handlers.search(path.read_text("utf-8"))] == []
    assert {"audit", "outbox"} <= set(catalogue.tables())
