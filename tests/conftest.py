"""What holds for every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A busy machine is no failure: nothing here asserts how long an example took.
settings.register_profile("isthmus", deadline=None)
settings.load_profile("isthmus")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with real peers first: they mostly wait, and one worker does so while the others calculate."""
    items.sort(key=lambda item: item.get_closest_marker("interop") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much was simulated. On CI each skipped test with its reason: what quietly stops running proves nothing."""
    passed = terminalreporter.stats.get("passed", [])
    runs = [count for report in passed for name, count in report.user_properties if name == "simulated"]
    if runs:
        full = runs.count(max(runs))
        terminalreporter.write_line(f"{sum(runs)} runs of {len(runs)} scenarios, {full} of them by {max(runs)} seeds")
    if os.environ.get("CI", "").lower() != "true":
        return
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section(f"{len(skipped)} skipped")
    for report in sorted(skipped, key=lambda r: r.nodeid):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
