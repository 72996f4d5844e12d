"""Find citations in code and documents that do not lead to a file, section, id or decision of this repository.

The forms stand in decision 0035. RFCs and other standards are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.architecture.papers import ROOT, anchors_of, links_in, missing, names_in, tables, text_of, without_fences

ATTACKS: Final = "docs/security/attacks.md"
RELIABILITY: Final = "docs/operate/reliability.md"
DECISIONS: Final = "docs/decisions"
MEASURED: Final = "docs/measured"

_FOLDERS: Final = ("src", "tests", "bench", "deploy", "docs", "requirements", "tools")
_ALONE: Final = ("Makefile", "Dockerfile", "pyproject.toml", *(path.name for path in sorted(ROOT.glob("*.md"))))
_NO_TEXT: Final = frozenset({".json", ".svg", ".pyc", ".gz", ".png", ".txt"})
# They hold broken citations on purpose.
_EXAMPLES: Final = frozenset(
    f"tests/architecture/{name}.py" for name in ("citations", "test_citations", "test_asvs", "test_house_rules")
)
# What an operator or a run makes.
_NOT_KEPT: Final = tuple(
    line.strip("/") for line in text_of(".gitignore").splitlines() if line.strip("/").partition("/")[0] in _FOLDERS
)
# Here faults and invariants are named without their page.
_OF_FAULTS: Final = ("tests/faults/", "tests/nodes/", "tests/stateful/", "docs/operate/reliability.md")

_WRAP: Final = re.compile(r"\n[ \t]*(?:#[ \t]*)?")
_NUMBERS: Final = r"[0-9]+(?:\.[0-9]+)*(?:(?:, | to | and )[0-9]+(?:\.[0-9]+)*)*"
_PATH: Final = re.compile(
    r"(?<![\w/.$-])(?:docs|src|tests|bench|deploy|requirements|tools)/[\w/-]+(?:\.\w+)*(?:#[\w-]+)?"
)
_SECTION: Final = re.compile(rf"(?P<before>\S*(?: [0-9]+)?),?(?: +|(?<=\())[Ss]ections? +(?P<numbers>{_NUMBERS})")
_STANDARD: Final = re.compile(r"RFC [0-9]+$|SP$|NIST$|WebAuthn Level [0-9]$")
_HEADING: Final = re.compile(r"^#{2,6} ([0-9]+(?:\.[0-9]+)*) ", re.MULTILINE)
_DECISIONS: Final = re.compile(r"\b[Dd]ecisions? +([0-9]{4}(?:(?:,? +(?:and|to|or) +|, +)[0-9]{4})*)")
_BARE: Final = re.compile(r"(?<![\w.:#/+\[-])00[0-9]{2}(?![\w.:-])")
_NUMBERED: Final = re.compile(
    r"(?:schema|migration|revision|since)(?:'s)? +$|(?:decisions?|numbers) [0-9, andtor]*$", re.IGNORECASE
)
_FAULT: Final = re.compile(r"\b[FR][1-9][0-9]?\b")
_FAULTS: Final = re.compile(r"docs/operate/reliability\.md +([FR][0-9]+(?:(?:, | to | and )[FR][0-9]+)*)")
_STRAY: Final = re.compile(
    r"\.\./shared|(?<![\w/])design/\w|(?<![\w/])contracts/[\w-]+\.md|\bADR\b"
    r"|(?<![\w/-])(?:core|weidu|careyshop|security)\.md"
)
_CITED_AS_ID: Final = re.compile(r"docs/security/attacks\.md +([A-Z0-9-]*[0-9][A-Z0-9-]*)")
_SHORT: Final = re.compile(r"(?<![\w/.<-])(?!src/|tests/|bench/)[a-z_]+(?:/[a-z_0-9]+)+\.py\b")


@dataclass(frozen=True, slots=True)
class Paper:
    """Hold a file as it is searched: `flat` has the same length as `text`, its lines joined by blanks."""

    path: str
    text: str

    @property
    def flat(self) -> str:
        """Give the text as one line, without the marks of comments."""
        return _WRAP.sub(lambda wrap: " " * len(wrap[0]), self.text)

    def at(self, offset: int) -> str:
        """Give `file:line` of an offset."""
        return f"{self.path}:{self.text.count(chr(10), 0, offset) + 1}"


def papers() -> Iterator[Paper]:
    """Yield every file that may cite something."""
    found = [path for folder in _FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    for path in [*found, *(ROOT / name for name in _ALONE)]:
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in _NO_TEXT and name not in _EXAMPLES:
            yield Paper(name, path.read_text("utf-8"))


def broken(paper: Paper) -> list[str]:
    """Give `file:line: why` for each citation of `paper` that leads nowhere."""
    return [
        f"{paper.at(offset)}: {why}"
        for rule in (_paths, _sections, _ids, _faults, _decisions, _strays, _links, _modules)
        for offset, why in rule(paper)
    ]


Found = Iterator[tuple[int, str]]


def _paths(paper: Paper) -> Found:
    """Check paths from the root, with an anchor or without; in documents folders too, and tests by name."""
    document = paper.path.endswith(".md")
    for match in _PATH.finditer(paper.text):
        path, _, anchor = match[0].partition("#")
        if path.startswith(_NOT_KEPT):
            continue
        if not (ROOT / path).exists():
            if document or path.startswith("docs/") or "." in Path(path).name:
                yield match.start(), f"{path} is not there"
        elif anchor and anchor not in anchors_of(path):
            yield match.start(), f"{path} has no #{anchor}"
    for name in names_in(without_fences(paper.text)) if document else ():
        if name.startswith("tests/") and "::" in name and (why := missing(name)):
            yield paper.text.index(name), why


def _sections(paper: Paper) -> Found:
    """Check `PATH section N`; in a document, `section N` alone is its own and one behind a link is the link's."""
    for match in _SECTION.finditer(paper.flat):
        if _STANDARD.search(match["before"]) or _STANDARD.search(paper.flat[: match.end("before")]):
            continue
        path = _cited_file(paper, match["before"])
        if path is None:
            yield match.start("numbers"), f"section {match['numbers']} of what?"
        elif (ROOT / path).is_file():
            for number in re.split(r", | to | and ", match["numbers"]):
                if number not in _sections_of(path):
                    yield match.start("numbers"), f"{path} has no section {number}"


def _cited_file(paper: Paper, before: str) -> str | None:
    """Find the file whose section is cited behind the word `before`."""
    if path := _PATH.search(before):
        return path[0].partition("#")[0]
    if not paper.path.endswith(".md"):
        return None
    if link := re.search(r"\]\(([^)#]+)[^)]*\),?$", before):
        return ((ROOT / paper.path).parent / link[1]).resolve().relative_to(ROOT).as_posix()
    return paper.path


@cache
def _sections_of(path: str) -> frozenset[str]:
    return frozenset(_HEADING.findall(text_of(path)))


@cache
def _attacks() -> frozenset[str]:
    return frozenset(row["id"] for table in tables(text_of(ATTACKS)) for row in table)


@cache
def _faults_and_invariants() -> frozenset[str]:
    """Read the ids: the faults have a heading each, the invariants a row."""
    text = text_of(RELIABILITY)
    rows = [row["invariant"] for table in tables(text) for row in table if "invariant" in row]
    return frozenset({*rows, *re.findall(r"^### (F[0-9]+) ", text, re.MULTILINE)})


def _ids(paper: Paper) -> Found:
    """Check ids of attacks, wherever they stand."""
    known = _attacks()
    groups = {name.partition("-")[0] for name in known} | {"OA", "PK", "SC"}
    for match in re.finditer(rf"\b(?:{'|'.join(sorted(groups))})-[0-9]+\b", paper.text):
        if match[0] not in known:
            yield match.start(), f"{ATTACKS} has no {match[0]}"
    for match in _CITED_AS_ID.finditer(paper.flat):
        if match[1] not in known and match[1].partition("-")[0] not in groups:
            yield match.start(), f"{ATTACKS} has no {match[1]}"


def _faults(paper: Paper) -> Found:
    """Check faults and invariants of docs/operate/reliability.md, behind its name or in the tests that make them."""
    known = _faults_and_invariants()
    spans = [match.span(1) for match in _FAULTS.finditer(paper.flat)]
    if paper.path.startswith(_OF_FAULTS):
        spans = [(0, len(paper.text))]
    for begin, end in spans:
        for match in _FAULT.finditer(paper.text, begin, end):
            if match[0] not in known:
                yield match.start(), f"{RELIABILITY} has no {match[0]}"


def _decisions(paper: Paper) -> Found:
    """Check `decision NNNN`; in a document no number of one stands alone."""
    for match in _DECISIONS.finditer(paper.flat):
        for number in re.findall(r"[0-9]{4}", match[1]):
            if not [*(ROOT / DECISIONS).glob(f"{number}-*.md")]:
                yield match.start(), f"there is no decision {number}"
    if paper.path.startswith("docs/"):
        for match in _BARE.finditer(paper.text):
            before = paper.flat[max(0, match.start() - 60) : match.start()]
            if not _NUMBERED.search(before) and not paper.text[: match.start()].endswith("# "):
                yield match.start(), f"{match[0]} is the number of what? Write `decision {match[0]}`"


def _strays(paper: Paper) -> Found:
    """Find papers that are not in the repository, and files of docs without their folder."""
    for match in _STRAY.finditer(paper.text):
        in_docs = paper.path.startswith("docs/") and match[0].endswith(".md")
        if not in_docs and paper.path != "tests/conformance/run.sh":
            yield match.start(), f"{match[0]} leads out of the repository: cite docs/…"


def _links(paper: Paper) -> Found:
    """Check links of documents."""
    if not paper.path.endswith(".md"):
        return
    for link in links_in(paper.text):
        if "//" not in link and (why := missing(link, beside=paper.path)):
            yield paper.text.index(f"]({link})"), why


def _modules(paper: Paper) -> Found:
    """Check modules that documents and the program name by a part of their path.

    Decisions and measurements name the files of the day they were written.
    """
    document = paper.path.endswith(".md")
    if paper.path.startswith((f"{DECISIONS}/", f"{MEASURED}/")) or not (document or paper.path.startswith("src/")):
        return
    texts = names_in(without_fences(paper.text)) if document else [paper.text]
    named = sorted({name for text in texts for name in _SHORT.findall(text)})
    for name in named:
        if not any((ROOT / base / name).is_file() for base in ("", "src", "src/menshen", "tests")):
            yield paper.text.index(name), f"{name} is not there"
