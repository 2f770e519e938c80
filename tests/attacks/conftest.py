"""The fixture of the attacks, and the count of the cases at the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks import view
from tests.attacks.count import case_of, covered, line
from tests.attacks.tree import Scenario, everywhere


@pytest.fixture
def attack(tmp_path: Path) -> Callable[..., Any]:
    """attack(scenario): in every mode and through both versions of WASI, with all oracles; what they agreed on, in
    the words of 0.1. ``only="0.1"``: the scenario makes raw calls of that version."""

    def run(scenario: Scenario[Any], only: str = "", **more: Any) -> Any:
        answer = everywhere(tmp_path, scenario, **more)
        if not only:
            view.everywhere(tmp_path, scenario, answer, **more)
        return answer

    return run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The cases whose tests passed; and those of which one failed."""

    def names(outcome: str) -> list[str]:
        reports = terminalreporter.stats.get(outcome, [])
        ours = (report.nodeid for report in reports if "tests/attacks/" in getattr(report, "nodeid", ""))
        return [node.rpartition("::")[2] for node in ours]

    failed = [name for outcome in ("failed", "error") for name in names(outcome)]
    bad = {case_of(name) for name in failed}
    good = covered(name for name in names("passed") if case_of(name) not in bad)
    if good:
        terminalreporter.write_line(line(good))
    if bad - {None}:
        terminalreporter.write_line(f"ATTACKS cases that failed: {sorted(bad - {None})}", red=True)
