"""SHA-256: the standard's own examples, and what hashlib says."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from wasi_native.digest import sha256, sha256_parts


def test_the_examples_of_the_standard() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_as_hashlib_and_of_views() -> None:
    data = bytes(range(256)) * 999
    assert sha256(data) == sha256(memoryview(data)) == hashlib.sha256(data).hexdigest()


def test_two_in_one_pass() -> None:
    data = bytes(range(256)) * 999
    for at in (0, 1, 64, 1000, len(data)):
        assert sha256_parts(memoryview(data), at) == (sha256(data[:at]), sha256(data))


def test_openssl_stays_out() -> None:
    code = "import sys; there = set(sys.modules)\n"  # who measures coverage has it there already
    code += "import wasi_native.digest as d; d.sha256(b''); sys.exit('_hashlib' in set(sys.modules) - there)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
