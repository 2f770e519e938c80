"""native.py: which compiled guests a host takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import wno
from tests.house.tree import ROOT
from wasi_native import Host, ModuleError, Native, Policy, PolicyError, _core, aot, aot_build, elf
from wasi_native.aot_sign import new_key, public_key, sign
from wasi_native.elf import Machine
from wasi_native.host import native
from wasi_native.host.native import missing_caps, take

PRIVATE, PUBLIC = new_key()
KEY = public_key(PUBLIC)
PC = Machine("x86_64", "glibc", "", 64)


def digest(data: bytes) -> str:
    return aot.read("x", data).sha256


def allowing(*data: bytes) -> Policy:
    return Policy(native=Native(files=[digest(one) for one in data]))


def refused(data: bytes, policy: Policy, machine: Machine = PC) -> str:
    with pytest.raises((ModuleError, PolicyError)) as caught:
        take("plugin.wno", data, policy, machine)
    text = str(caught.value)
    assert "plugin.wno" in text and "\n" not in text
    return text


# ---- whom to believe ----


def test_nothing_is_allowed_by_default() -> None:
    plain = wno.file()
    text = refused(plain, Policy())
    assert text == (
        f"Policy.native: plugin.wno is native code that is not allowed (SHA-256 {digest(plain)}, not signed); "
        f'add native = Native(files=["{digest(plain)}"]) if you trust it'
    )
    with pytest.raises(PolicyError):
        take("plugin.wno", plain, Policy(), PC)


def test_allowed_by_hash() -> None:
    plain, other = wno.file(), wno.file(module="other.wasm")
    assert take("x", plain, allowing(other, plain), PC).manifest.module == "plugin.wasm"
    assert "not allowed" in refused(plain, allowing(other))


def test_allowed_by_a_key() -> None:
    plain = wno.file()
    signed = sign("x", plain, PRIVATE)
    policy = Policy(native=Native(keys=[PUBLIC]))
    assert take("x", signed, policy, PC).key == KEY
    assert "not allowed" in refused(plain, policy)
    assert f"signed by the key {KEY}" in refused(signed, Policy())
    stranger = sign("x", plain, new_key()[0])
    assert "not allowed" in refused(stranger, policy)
    lie = stranger[: len(plain)] + bytes.fromhex(KEY) + stranger[len(plain) + 32 :]
    assert f"tampered with: its signature is not one of the key {KEY}" in refused(lie, policy)


def test_a_hash_is_that_of_the_file_with_its_signature() -> None:
    """Whatever is signed with any key is another file, and the list says which one it means."""
    plain = wno.file()
    signed = sign("x", plain, PRIVATE)
    assert "not allowed" in refused(signed, allowing(plain)) and "not allowed" in refused(
        plain, allowing(signed)
    )
    assert take("x", signed, allowing(signed), PC).key == KEY  # no key is needed then


def test_a_hash_for_all_zeros_and_an_empty_key_allow_nothing() -> None:
    with pytest.raises(PolicyError):
        Native(keys=[""])
    assert "not allowed" in refused(wno.file(), Policy(native=Native(files=["00" * 32], keys=[PUBLIC])))


# ---- what it was compiled for ----


@pytest.mark.parametrize(
    ("made", "machine"),
    [
        ({}, PC),
        ({"libc": ""}, Machine("x86_64", "musl", "", 64)),
        ({}, Machine("x86_64", "unknown", "", 64)),
        ({"arch": "armv6", "pointer_bits": 32, "float_abi": "hard"}, Machine("armv7", "glibc", "hard", 32)),
        ({"arch": "armv6", "pointer_bits": 32, "float_abi": "hard"}, Machine("armv6", "glibc", "", 32)),
        ({"arch": "riscv64", "libc": "musl"}, Machine("riscv64", "musl", "soft", 64)),
        ({"arch": "mipsel", "libc": "uclibc", "pointer_bits": 32}, Machine("mipsel", "uclibc", "", 32)),
    ],
)
def test_machines_that_fit(made: dict[str, Any], machine: Machine) -> None:
    data = wno.file(**made)
    assert take("x", data, allowing(data), machine).name == "x"


ARM = {"arch": "armv7", "pointer_bits": 32, "float_abi": "hard"}


@pytest.mark.parametrize(
    ("made", "machine", "text"),
    [
        (
            {"arch": "aarch64"},
            PC,
            "compiled for aarch64 (64 bits), this is x86_64 (64 bits); "
            "wasi-native compile --arch x86_64 --libc glibc makes one for here",
        ),
        ({}, Machine("i686", "glibc", "", 32), "for x86_64 (64 bits), this is i686 (32 bits); "),
        (ARM, Machine("armv6", "glibc", "hard", 32), "for armv7 (32 bits), this is armv6 (32 bits); "),
        (ARM, Machine("aarch64", "glibc", "", 64), "for armv7 (32 bits), this is aarch64 (64 bits); "),
        ({"libc": "musl"}, PC, "compiled for musl, the C library of this process is glibc; "),
        ({"libc": "uclibc"}, PC, "compiled for uclibc, the C library of this process is glibc; "),
        ({}, Machine("x86_64", "uclibc", "", 64), "--libc uclibc makes one"),
        (
            {**ARM, "float_abi": "soft"},
            Machine("armv7", "glibc", "hard", 32),
            "for soft-float calls, this process makes hard-float ones; ",
        ),
        ({"abi": 3}, PC, "for version 3 of the interface, these are the versions 1 and 2; compile it again"),
    ],
)
def test_machines_that_do_not(made: dict[str, Any], machine: Machine, text: str) -> None:
    data = wno.file(**made)
    told = refused(data, allowing(data), machine)
    assert told.startswith("plugin.wno: compiled for ") and text in told


def test_the_policy_is_asked_before_the_machine() -> None:
    assert "not allowed" in refused(wno.file(arch="aarch64"), Policy())


def test_what_is_not_whole_is_refused_before_the_policy() -> None:
    assert "damaged or tampered with" in refused(wno.file().replace(b"code", b"evil", 1), Policy())


def test_this_machine_is_the_default() -> None:
    here = elf.here()
    data = wno.file(arch="riscv64" if here.arch != "riscv64" else "x86_64")
    with pytest.raises(ModuleError, match=f"this is {here.arch}"):
        take("x", data, allowing(data))


def test_the_numbers_of_the_interface() -> None:
    header = (ROOT / "include" / "wasi_native" / "aot.h").read_text()
    found = tuple(map(int, re.findall(r"#define WN_AOT_ABI\w* (\d+)u", header)))
    assert found == native.ABIS == (aot_build.ABI, aot_build.ABI_SHARED)
    assert native.ENGINE in _core.engine_names()


def test_abilities_that_were_left_out() -> None:
    assert missing_caps(wno.manifest()) == {"fuel"}
    assert missing_caps(wno.manifest(interrupt=False, fuel=True)) == {"interrupt"}


# ---- in a host ----


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "bad.wno: the file is empty"),
        (b"\x7fEL", "bad.wno: not a compiled guest (.wno), or truncated"),
        (
            b"\0asm\1\0\0\0",
            "bad.wno: this is a WebAssembly module; wasi-native compile makes a .wno file of it",
        ),
        (b"(module)", "bad.wno: not a compiled guest (.wno): it does not start as an ELF file does"),
        (wno.file()[:-1], "bad.wno: not a compiled guest (.wno), or truncated"),
    ],
)
def test_files_that_are_none(host: Host, tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "bad.wno").write_bytes(data)
    with pytest.raises(ModuleError) as caught:
        host.load(tmp_path / "bad.wno")
    assert str(caught.value).startswith(text)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge.wno", "wb") as file:
        file.truncate(1 << 40)
    with (
        Host(engine="fake") as host,
        pytest.raises(ModuleError, match=r"huge\.wno: 1099511627776 bytes are more than"),
    ):
        host.load(tmp_path / "huge.wno")


def test_code_by_content_whatever_the_name(host: Host, tmp_path: Path) -> None:
    """Renamed or as bytes, native code is native code."""
    (tmp_path / "plugin.wasm").write_bytes(wno.file())
    for source in (tmp_path / "plugin.wasm", wno.file()):
        with pytest.raises(PolicyError, match="native code that is not allowed"):
            host.load(source)


def test_an_instance_cannot_allow_what_its_host_did_not(host: Host) -> None:
    with pytest.raises(PolicyError, match="not allowed"):
        host.load(wno.file()).instantiate(allowing(wno.file()))
