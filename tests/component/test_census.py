"""census.py: how many memories and tables a component brings, and what each may have of a limit for all."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.component.build import encode
from wasi_native.component import FEATURES, decode
from wasi_native.component.census import MEMORY, TABLE, Shares, census, of_module, share
from wasi_native.errors import ModuleError

PAGE = 65536
NO_END = 1 << 64
ONE = f"(core module $m (memory 1) (memory 2 3) (table 5 funcref)) {'(core instance (instantiate $m))' * 2}"
# A component of $inner's is instantiated by $outer, which gets it from outside or by an alias of the scope around it.
PASSED = """(component
  (component $leaf (core module $m (memory 1)) (core instance (instantiate $m)) (core instance (instantiate $m)))
  (component $taker (import "c" (component $c)) (instance (instantiate $c)) (instance (instantiate $c)))
  (component $aliases (alias outer 1 $leaf (component $l)) (instance (instantiate $l)))
  (instance (instantiate $taker (with "c" (component $leaf))))
  (instance (instantiate $aliases)) (instance (instantiate $aliases)))"""


def counted(text: str, kind: int) -> Counter[tuple[int, int]]:
    return census(decode(encode(text), "c", FEATURES), kind)


def test_census() -> None:
    assert counted(f"(component {ONE})", MEMORY) == {(PAGE, NO_END): 2, (2 * PAGE, 3 * PAGE): 2}
    assert counted(f"(component {ONE})", TABLE) == {(5, NO_END): 2}
    nested = f"(component (component $c {ONE}) {'(instance (instantiate $c))' * 3})"
    assert sum(counted(nested, MEMORY).values()) == 12
    assert counted("(component (core module (memory 1)))", MEMORY) == {}
    assert counted(PASSED, MEMORY) == {(PAGE, NO_END): 2 * 2 + 2 * 2}


def test_what_is_given_to_a_component_is_counted() -> None:
    text = """(component
      (core module $one (memory 1)) (core module $two (memory 2) (memory 2))
      (component $maker (import "m" (core module $m)) (core instance (instantiate $m)))
      (component $hands (import "m" (core module $m)) (import "c" (component $c (import "m" (core module))))
        (instance (instantiate $c (with "m" (core module $m))))
        (instance (instantiate $c (with "m" (core module $m)))))
      (instance (instantiate $hands (with "m" (core module $two)) (with "c" (component $maker))))
      (instance (instantiate $maker (with "m" (core module $one))))
      (instance (instantiate $maker (with "m" (core module $two)))))"""
    assert counted(text, MEMORY) == {(PAGE, NO_END): 1, (2 * PAGE, NO_END): 6}


def test_counting_is_bounded() -> None:
    """Each component is given two of the last: no two instances are of the same."""
    text = '(component $c0 (import "a" (core module $m)) (core instance (instantiate $m)))'
    inner = "(core module $x (memory 1)) (core module $y (memory 1))"
    for depth in range(24):
        text = f"""(component $c{depth + 1} (import "a" (core module $m)) {inner} {text}
          (instance (instantiate $c{depth} (with "a" (core module $x))))
          (instance (instantiate $c{depth} (with "a" (core module $y)))))"""
    text = f'(component {inner} {text} (instance (instantiate $c24 (with "a" (core module $x)))))'
    assert sum(counted(text, MEMORY).values()) > 1000


def test_a_memory_that_is_shared_counts_once() -> None:
    text = """(component
      (core module $a (memory (export "m") 1)) (core module $b (import "a" "m" (memory 1)))
      (core instance $a (instantiate $a)) (core instance (instantiate $b (with "a" (instance $a)))))"""
    assert counted(text, MEMORY) == {(PAGE, NO_END): 1}


def test_more_than_anybody_makes_is_counted_at_once() -> None:
    text = f"(component $c0 {ONE})"
    for depth in range(40):
        text = f"(component $c{depth + 1} {text} {f'(instance (instantiate $c{depth}))' * 2})"
    assert max(counted(text, MEMORY).values()) == 100_000


@pytest.mark.parametrize(
    ("counts", "limit", "each"),
    [
        ({(1, NO_END): 1}, 100, 100),
        ({(1, NO_END): 2}, 100, 50),
        ({(1, NO_END): 3}, 100, 33),
        ({(1, 10): 1, (1, NO_END): 1}, 100, 90),
        ({(60, NO_END): 1, (1, NO_END): 1}, 100, 60),
        ({(1, 10): 5}, 100, 100),
        ({(200, NO_END): 1}, 100, 200),
    ],
)
def test_share(counts: dict[tuple[int, int], int], limit: int, each: int) -> None:
    assert share(Counter(counts), limit) == each


def test_shares_hold_what_the_census_could_not_know() -> None:
    module = decode(encode("(component (core module $m (memory 1)))"), "c", FEATURES).modules[0]
    shares = Shares("c", Counter({(PAGE, NO_END): 2}), MEMORY, 4 * PAGE)
    assert shares.each == 2 * PAGE
    shares.take(module)
    shares.take(module)
    with pytest.raises(
        ModuleError, match="c: its 3 memories could become 393216 bytes in all, which exceeds memory"
    ):
        shares.take(module)
    with pytest.raises(ModuleError, match="memory limits of 65536"):
        Shares("c", Counter({(PAGE, NO_END): 2}), MEMORY, PAGE)
    assert Shares("c", Counter({(PAGE, NO_END): 9}), MEMORY, None).each is None


def test_of_a_module() -> None:
    raw = encode("(module (memory 1) (memory 1) (table 1 funcref))")
    assert of_module("m", raw, 10 * PAGE, 500) == (5 * PAGE, 500)
    assert of_module("m", raw, None, None) == (None, None)
