"""Docstrings and comments in plain English. Each rule is a function from a file to its complaints, and fails below.

A docstring begins with a verb, a sentence has at most 25 words, and pronouns such as "whoever" are not used. Ruff's
D401 checks the verbs of functions against its own list; this check is for classes and modules, too.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "menshen"

MOST_WORDS = 25
# A list of names or a quoted form makes a sentence longer without making it harder.
ALLOWANCE = 3

NO_VERBS = re.compile(
    r"an?|all|another|any|anything|as|both|each|every|everything|for|from|how|if|in|its|most|no|nobody|none|nothing|of|on"
    r"|one|only|several|some|that|the|their|there|these|they|this|those|to|what|when|where|whether|which|who|whose|why"
    r"|with",
    re.IGNORECASE,
)
UNPLAIN = re.compile(
    r"\b(?:anybody|everybody|nobody|somebody|whatever|whenever|whichever|whoever|told|hears?|heard|suffers?|dearest)\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[.:;!?])\s+")
PARAGRAPH_END = re.compile(r"\n\s*\n|\n(?= {4})")
DRAWING = re.compile(r"[─│┌└├]")
EXAMPLE = re.compile(r"^ {4}\S.*$", re.MULTILINE)

Rule = Callable[[str], Iterator[str]]


def begins_with_a_verb(text: str) -> Iterator[str]:
    for line, docstring in docstrings(text):
        first = docstring.split()[0]
        if NO_VERBS.fullmatch(first.strip(",.:;")) or not re.match(r"[A-Z][a-z]+[,.:]?$", first):
            yield f"line {line}: the docstring begins with {first!r}, not with a verb"


def has_short_sentences(text: str) -> Iterator[str]:
    for line, prose in [*docstrings(text), *remarks(text), *comments(text)]:
        for sentence in sentences(prose):
            if (words := len(sentence.split())) > MOST_WORDS + ALLOWANCE:
                yield f"line {line}: {words} words, {MOST_WORDS} at most: {sentence[:60]}…"


def uses_plain_words(text: str) -> Iterator[str]:
    for line, prose in [*docstrings(text), *remarks(text), *comments(text)]:
        for found in UNPLAIN.finditer(prose):
            yield f"line {line}: {found[0]!r}: name the subject"


RULES = [begins_with_a_verb, has_short_sentences, uses_plain_words]


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def docstrings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring of a module, class or function."""
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            docstring := ast.get_docstring(node)
        ):
            yield node.body[0].lineno, docstring


def remarks(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string that stands below a name and describes it."""
    for node in ast.walk(parsed(text)):
        body = getattr(node, "body", None)
        for statement in body[1:] if isinstance(body, list) else []:
            value = getattr(getattr(statement, "value", None), "value", None)
            if isinstance(statement, ast.Expr) and isinstance(value, str):
                yield statement.lineno, value


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each comment; comments in consecutive lines are one."""
    first, last, prose = 0, -1, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if line != last + 1 and prose:
            yield first, prose
        first, prose = (first, prose + " ") if line == last + 1 else (line, "")
        prose += token.string.lstrip("#: ")
        last = line
    if prose:
        yield first, prose


def sentences(prose: str) -> Iterator[str]:
    """Yield the sentences of a text without its citations in brackets, examples and drawings."""
    without = EXAMPLE.sub("", prose) if DRAWING.search(prose) else prose
    for paragraph in PARAGRAPH_END.split(re.sub(r"\([^()]*\)", "", without)):
        yield from SENTENCE_END.split(paragraph.strip())


@pytest.mark.parametrize("rule", RULES)
def test_the_package_is_in_plain_english(rule: Rule) -> None:
    broken = [
        f"{path.relative_to(PACKAGE)}: {complaint}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for complaint in rule(path.read_text("utf-8"))
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (begins_with_a_verb, '"""What a dialect is to the rest."""'),
        (begins_with_a_verb, '"""A client\'s connection."""'),
        (begins_with_a_verb, 'def f():\n    """Whether it is there."""'),
        (begins_with_a_verb, 'class C:\n    """`ms`: how long."""'),
        (begins_with_a_verb, 'class C:\n    """404 for an unknown path."""'),
        (has_short_sentences, f'"""Return {"word " * 28}."""'),
        (has_short_sentences, f"X = 1  # {'word ' * 29}"),
        (has_short_sentences, f'X = 1\n"""{"word " * 29}"""'),
        (has_short_sentences, f"# {'word ' * 15}\n# {'word ' * 15}"),
        (uses_plain_words, '"""Return what somebody sent."""'),
        (uses_plain_words, "# The client is told later."),
    ],
)
def test_a_breach_is_found(rule: Rule, text: str) -> None:
    assert list(rule(text))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (begins_with_a_verb, '"""Send, verify and consume codes."""\ndef f():\n    x = "What"'),
        (has_short_sentences, f'"""Return {"word " * 20}. Then {"word " * 20}."""'),
        (has_short_sentences, f'"""Return one. ({"word " * 40})"""'),
        (has_short_sentences, f"# {'word ' * 15}\n\n# {'word ' * 15}"),
        (uses_plain_words, 'REASON = "told"'),
    ],
)
def test_plain_text_passes(rule: Rule, text: str) -> None:
    assert not list(rule(text))
