"""What the suites that try to break the promise have counted: one table at the end of a test run.

A test counts into the `tally` fixture. The figures travel in its report, so that the table is whole
however many processes shared the work. It is a pytest plugin, named in `tests/conftest.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from _pytest.terminal import TerminalReporter

from tests.crash.oracle import Findings

_KEY = "tally"


@dataclass(slots=True)
class Tally:
    """How many cases a test has tried, and what was wrong with the runs in them."""

    suite: str = ""
    cases: int = 0
    duplicates: int = 0
    lost: int = 0
    invented: int = 0

    def count(self, findings: Findings | None = None, *, cases: int = 1) -> None:
        """Add so many cases, and what the ledger said of them."""
        self.cases += cases
        if findings is not None:
            self.duplicates += len(findings.duplicates)
            self.lost += len(findings.lost)
            self.invented += len(findings.invented)


@dataclass(slots=True)
class _Row:
    tally: Tally
    seconds: float = 0.0


@dataclass(slots=True)
class _Table:
    """The rows of a test run, by suite."""

    rows: dict[str, _Row] = field(default_factory=dict)

    def add(self, told: dict[str, object], seconds: float) -> None:
        one = Tally(**told)  # type: ignore[arg-type]  # it went through a report and came back
        row = self.rows.setdefault(one.suite, _Row(Tally(one.suite)))
        row.seconds += seconds
        for name in ("cases", "duplicates", "lost", "invented"):
            setattr(row.tally, name, getattr(row.tally, name) + getattr(one, name))

    def lines(self) -> Iterator[str]:
        yield _line("suite", "cases", "duplicates", "lost", "invented", "time")
        yield _line("---", "---:", "---:", "---:", "---:", "---:")
        for name, row in sorted(self.rows.items()):
            one = row.tally
            yield _line(
                name,
                f"{one.cases:,}",
                one.duplicates,
                one.lost,
                one.invented,
                f"{row.seconds:.0f} s",
            )


def _line(suite: str, *numbers: object) -> str:
    widths = (9, 10, 6, 8, 8)
    cells = [f"{number!s:>{width}}" for number, width in zip(numbers, widths, strict=True)]
    return f"| {suite:<36} | {' | '.join(cells)} |"


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts for the suite that the test's module names as `SUITE`."""
    counted = Tally(request.module.SUITE)
    yield counted
    told = {name: getattr(counted, name) for name in Tally.__slots__}
    request.node.user_properties.append((_KEY, told))


class _Collector:
    """Collects what reports carry, in the one process that sees all of them."""

    def __init__(self) -> None:
        self.table = _Table()
        self._seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a test's figures once it is torn down; its time is that of all its phases."""
        seconds = self._seconds.pop(report.nodeid, 0.0) + report.duration
        if report.when != "teardown":
            self._seconds[report.nodeid] = seconds
            return
        for name, told in report.user_properties:
            if name == _KEY and isinstance(told, dict):
                self.table.add(told, seconds)

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the table, if anything was counted."""
        if self.table.rows:
            terminalreporter.section("runs that tried to break the promise")
            for line in self.table.lines():
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Collect where reports arrive."""
    config.pluginmanager.register(_Collector(), "tally")
