"""The count of the cases: by the names of the tests, nothing left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.count import GROUPS, TITLES, case_of, covered, line, written

# What WASI 0.1 can reach of the groups whose tests are complete.
REACHABLE = {
    "p": {1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 15, 16, 17, 18, 20, 22, 24, 25, 28, 30},
    "r": {32, 33, 35, 36, 39, 40},
    "a": {41, 42, 43, 44, 45, 46, 50, 52},
}


def test_the_case_is_in_the_name() -> None:
    assert case_of("test_p05_link_with_slash[walk]") == ("p", 5)
    assert case_of("test_m61_everything") == ("m", 61)
    assert case_of("test_count") is None and case_of("test_z01_no_such_group") is None
    with pytest.raises(ValueError, match="group P has the cases 1 to 30"):
        case_of("test_p32_race")


def test_a_case_counts_once() -> None:
    found = covered(["test_r32_one", "test_p01_a", "test_p01_b[x]", "test_other"])
    assert found == {"p": {1}, "r": {32}}
    assert line(found) == "ATTACKS cases covered: P 1, R 1 (2 in all)"


def test_every_case_that_can_be_reached_has_a_test() -> None:
    found = covered(written(Path(__file__).parent))
    assert TITLES.keys() == GROUPS.keys()
    for group, numbers in REACHABLE.items():
        assert found[group] >= numbers, f"group {group.upper()} lacks {sorted(numbers - found[group])}"
