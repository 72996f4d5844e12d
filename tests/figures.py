"""Figures that tests measure (memory, times): gathered from every worker and shown in the summary of the run.

`figure("RS-9: …")` in a test; the line is shown whether the test passes or fails, above pytest's closing line.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

_NAME = "figure"
Figure = Callable[[str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Record one line of what was measured; it travels with the report, so also from another process."""
    return lambda line: record_property(_NAME, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    lines = sorted(
        str(value)
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == _NAME
    )
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
