"""The log is one JSON object a line, tells where it failed, and never what somebody sent."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from menshen.app.telemetry.logs import configure_logs
from menshen.core.problems import Problem, ProblemCode


@pytest.fixture
def logs() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "asyncio", "python_multipart"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_our_words_and_the_libraries_look_alike(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    structlog.get_logger("menshen.x").info("listening", port=1)
    logging.getLogger("uvicorn.error").warning("Invalid %s request", "HTTP")
    ours, theirs = lines(capsys)
    assert (ours["event"], ours["port"], ours["logger"], ours["level"]) == ("listening", 1, "menshen.x", "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("Invalid HTTP request", "uvicorn.error", "warning")
    assert str(ours["at"]).endswith("Z")


def test_an_exception_is_told_by_type_and_place_without_its_text(
    logs: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info")
    try:
        try:
            raise KeyError("canary-password")
        except KeyError as error:
            raise ValueError("canary-token") from error
    except ValueError as error:
        structlog.get_logger("menshen").exception("went.wrong")
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)  # noqa: TRY400 - as uvicorn does
    captured = capsys.readouterr().err
    assert "canary" not in captured
    for line in map(json.loads, captured.splitlines()):
        assert (line["error"], line["cause"]) == ("ValueError", "KeyError")
        assert line["where"][-1].startswith("test_logs.py:")


def test_a_problem_tells_its_detail(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    problem = Problem(ProblemCode.UNAVAILABLE, "sqlite: SQLITE_FULL")
    logging.getLogger("x").error("failed", exc_info=problem)
    assert lines(capsys)[0]["error"] == "menshen.core.problems.Problem: sqlite: SQLITE_FULL"


@pytest.mark.attack("IN-4")
def test_no_line_can_be_forged_and_none_is_endless(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    structlog.get_logger("x").warning("said", text='a\n{"event":"login"}\r\x1b[2J\u2028\x85', long="y" * 100_000)
    captured = capsys.readouterr().err
    assert captured.count("\n") == 1
    assert captured.isascii()
    assert all(c == "\n" or c.isprintable() for c in captured)
    assert len(captured) < 2000


def test_a_form_that_is_none_is_not_worth_a_line(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    parser = MultipartParser(b"X", {})
    with pytest.raises(FormParserError):
        parser.write(b"garbage")
    assert lines(capsys) == []


def test_the_level_is_kept(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("error")
    structlog.get_logger("x").warning("no")
    structlog.get_logger("x").error("yes")
    assert [line["event"] for line in lines(capsys)] == ["yes"]
