"""sys/hash.c: tests/c/sys.c checks its numbers, tests/p2/test_filesystem_stat.py what a guest sees of them; here that
they take nothing of the guest's own random numbers."""

from __future__ import annotations

from pathlib import Path

from tests.p2.files import Files
from wasi_native import Dir, Policy, Random


def test_a_repeatable_guest_has_hashes_of_its_own(tmp_path: Path) -> None:
    """They come from a key of the kernel's: the sequence that the guest draws from goes on as if there were none."""
    (tmp_path / "f").write_text("x")
    policy = Policy(dirs=[Dir(tmp_path, "/d")], random=Random(7))
    seen = []
    for _ in range(2):
        with Files(policy, engine="wasmtime") as g:
            seen.append(g.hash_at(g.preopens["/d"], "f"))
            assert not isinstance(seen[-1], str)
    assert seen[0] != seen[1]
