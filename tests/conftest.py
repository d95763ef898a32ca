"""What holds for every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A busy machine is no failure: nothing here asserts how long an example took.
settings.register_profile("isthmus", deadline=None)
settings.load_profile("isthmus")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """On CI each skipped test is named with its reason: one that quietly stops running proves nothing."""
    if os.environ.get("CI", "").lower() != "true":
        return
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section(f"{len(skipped)} skipped")
    for report in sorted(skipped, key=lambda r: r.nodeid):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
