"""The adapter for the official wasi-testsuite runner.

    python run-tests --runtime-adapter tests/conformance/wasi_native_adapter.py

WASI_NATIVE names the command ("wasi-native" by default; "python -m wasi_native" works too) and may carry
options of ``run`` after it, as in "wasi-native --engine wasmtime". WASI_NATIVE_RESOLVER is the product's own.
"""

import os
import shlex
import subprocess

WASI_NATIVE = shlex.split(os.getenv("WASI_NATIVE", "wasi-native"))


def _split() -> tuple[list[str], list[str]]:
    """The program and the options that follow it: they belong after the verb."""
    for at, word in enumerate(WASI_NATIVE):
        if word.startswith("--"):
            return WASI_NATIVE[:at], WASI_NATIVE[at:]
    return WASI_NATIVE, []


def get_name() -> str:
    return "wasi-native"


def get_version() -> str:
    argv = [*_split()[0], "--version"]
    said = subprocess.run(argv, encoding="utf-8", capture_output=True, check=True).stdout
    return said.split()[-1]


def get_wasi_versions() -> list[str]:
    return ["wasm32-wasip1"]


def get_wasi_worlds() -> list[str]:
    return ["wasi:cli/command"]


def compute_argv(
    test_path: str,
    args_env_root: tuple[list[str], dict[str, str], str | None],
    proposals: list[str],
    wasi_world: str,
    wasi_version: str,
) -> list[str]:
    if proposals or wasi_world not in get_wasi_worlds() or wasi_version not in get_wasi_versions():
        raise ValueError(f"not offered: {wasi_version} {wasi_world} {' '.join(proposals)}")
    args, env, root = args_env_root
    program, options = _split()
    argv = [*program, "run", *options]
    if root:
        argv += ["--dir", f"{root}::/"]
    for name, value in env.items():
        argv += ["--env", f"{name}={value}"]
    return [*argv, test_path, *list(args)]
