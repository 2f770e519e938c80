"""Boards: every file is right, the loader says what is wrong, and detection fits the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from packaging.tags import parse_tag

import wasi_native.board as board_module
from wasi_native.board import Board, BoardLimits
from wasi_native.errors import BoardError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

jsonschema = pytest.importorskip("jsonschema")

BOARDS = Path(__file__).resolve().parent.parent / "boards"
IDS = [
    "beaglebone-black",
    "generic-armv7-musl",
    "generic-x86_64",
    "lichee-rv",
    "luckfox-pico",
    "milkv-duo",
    "milkv-duo256m",
    "nanopi-neo",
    "openwrt-mt7628",
    "orangepi-zero",
    "raspberry-pi-3b-plus",
    "raspberry-pi-4",
    "raspberry-pi-5",
    "raspberry-pi-zero-2w",
    "raspberry-pi-zero-w",
    "stm32mp157-dk2",
    "visionfive2",
]
FILES = sorted(BOARDS.glob("*.toml"))
NARROW = {"armv6", "armv7", "mipsel", "i686", "unknown"}


def facts(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def machine(
    root: Path, arch: str, libc: str, compatible: str = "", model: str = "", mib: int = 0, cpuinfo: str = ""
) -> Path:
    """Write the files of one machine below ``root``; ``compatible`` has spaces between its strings."""
    files = {"proc/sys/kernel/arch": arch + "\n", "proc/cpuinfo": cpuinfo}
    if compatible:
        files["proc/device-tree/compatible"] = compatible.replace(" ", "\0") + "\0"
    if model:
        files["proc/device-tree/model"] = model + "\0"
    if mib:
        files["proc/meminfo"] = f"MemTotal:       {mib * 1024} kB\nMemFree:  1 kB\n"
    if libc:
        files["lib/" + LOADERS[libc]] = ""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


# ---- the files ------------------------------------------------------------------------------------------


def test_the_seventeen_boards() -> None:
    assert Board.list() == IDS
    assert len(IDS) == 17


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_follows_the_schema(path: Path) -> None:
    schema = json.loads((BOARDS / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    part = {"limits": "limits_file", "generic": "generic_file"}.get(path.stem)
    if part:
        schema = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{part}"}
    jsonschema.Draft202012Validator(schema).validate(facts(path))


def test_schema_refuses_an_engine_that_the_arch_lacks() -> None:
    schema = json.loads((BOARDS / "schema.json").read_text(encoding="utf-8"))
    wrong = facts(BOARDS / "milkv-duo.toml")
    wrong["userland"][0]["engines"] = ["wasmtime"]
    with pytest.raises(jsonschema.ValidationError, match="wasmtime"):
        jsonschema.Draft202012Validator(schema).validate(wrong)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_plain_reader_agrees_with_a_full_one(path: Path) -> None:
    assert board_module._plain_toml(path.read_text(encoding="utf-8")) == facts(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_unverified_names_fields_that_exist(path: Path) -> None:
    def exists(value: Any, keys: list[str]) -> bool:
        if isinstance(value, list) and keys:
            return any(exists(item, keys) for item in value)
        return not keys or (isinstance(value, dict) and keys[0] in value and exists(value[keys[0]], keys[1:]))

    tables = facts(path).values() if path.stem == "limits" else [facts(path)]
    for table in tables:
        for name in table.get("unverified", []):
            assert exists(table, name.split(".")), name


@pytest.mark.parametrize("board_id", [name for name in IDS if not name.startswith("generic-")])
def test_what_is_empty_is_unverified(board_id: str) -> None:
    board = Board.load(board_id)
    empty = {
        "python": not board.python,
        "gpiochip": not board.gpiochips,
        "buses.i2c": not board.i2c,
        "buses.spi": not board.spi,
        "buses.serial": not board.serial,
        "userland.libc_versions": not all(u.libc_versions for u in board.userlands),
    }
    for name, is_empty in empty.items():
        assert not is_empty or name in board.unverified, name


@pytest.mark.parametrize("board_id", IDS)
def test_choices_fit_the_machine(board_id: str) -> None:
    board = Board.load(board_id)
    assert board.id == board_id
    assert list(board.ram_mib) == sorted(board.ram_mib)
    assert [c.name for c in board.limit_classes] == sorted(c.name for c in board.limit_classes)
    assert board.limits == board.limit_classes[0]
    for userland in board.userlands:
        assert ("wasmtime" in userland.engines) == (userland.arch in ("x86_64", "aarch64"))
        assert bool(userland.wheel_tags) != bool(userland.no_wheel)
        for tag in userland.wheel_tags:
            (parsed,) = parse_tag(f"cp310-abi3-{tag}")
            assert parsed.platform == tag
        span = userland.reservation_bytes + userland.guard_bytes
        if userland.arch in NARROW:
            assert span * board.limit_classes[-1].instances <= 2**30
        else:
            assert span * board.limit_classes[-1].instances <= 2**38


def test_generic_userlands_are_one_for_each_pair_and_the_last_is_for_all() -> None:
    userlands = facts(BOARDS / "generic.toml")["userland"]
    pairs = [(u["arch"], u["libc"]) for u in userlands]
    assert len(set(pairs)) == len(pairs)
    assert pairs[-1] == ("unknown", "unknown")
    for userland in userlands:
        for tag in userland["wheel_tags"]:
            assert parse_tag(f"cp310-abi3-{tag}")


def test_no_two_boards_answer_to_one_name() -> None:
    seen: dict[str, str] = {}
    for board_id in IDS:
        board = Board.load(board_id)
        for name in (*board.compatible, *board.model):
            assert seen.setdefault(name, board_id) == board_id


def test_limits_grow_from_class_to_class() -> None:
    classes = facts(BOARDS / "limits.toml")
    assert list(classes) == ["L0", "L1", "L2", "L3"]
    for low, high in zip(list(classes.values())[:-1], list(classes.values())[1:], strict=True):
        for key in set(low) - {"unverified", "epoch_ms"}:
            assert low[key] <= high[key], key
        assert low["memory_bytes"] <= low["memory_max_bytes"]
        assert low["epoch_ms"] >= high["epoch_ms"]
    assert {
        k: v for k, v in classes["L0"].items() if k in ("instances", "fds", "stack_bytes", "epoch_ms")
    } == {
        "instances": 2,
        "fds": 16,
        "stack_bytes": 16384,
        "epoch_ms": 50,
    }
    assert [c["memory_bytes"] >> 20 for c in classes.values()] == [1, 4, 16, 64]


# ---- load -----------------------------------------------------------------------------------------------


def test_load_pi_zero_w() -> None:
    board = Board.load("raspberry-pi-zero-w")
    assert (board.arch, board.libc, board.limits.name) == ("armv6", "glibc", "L2")
    assert board.wheel_tags == ("linux_armv6l",)
    assert board.engines == ("wasm3", "wasm2c")
    assert board.gpiochips[0].label == "pinctrl-bcm2835"
    assert board.gpiochips[0].lines == 54
    assert board.i2c == ("i2c-1",)
    assert board.reservation_bytes == 16 << 20
    assert board.guard_bytes == 65536
    assert board.memory_mib == 0


def test_board_is_frozen_and_has_slots() -> None:
    board = Board.load("milkv-duo")
    with pytest.raises(FrozenInstanceError):
        board.id = "x"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        board.limits.fds = 1  # type: ignore[misc]
    assert not hasattr(board, "__dict__")
    assert isinstance(board.limits, BoardLimits)
    assert hash(board) == hash(Board.load("milkv-duo"))


@pytest.mark.parametrize("board_id", IDS)
def test_to_dict_is_json(board_id: str) -> None:
    plain = Board.load(board_id).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["id"] == board_id
    assert plain["limits"]["name"].startswith("L")


def test_load_a_path(tmp_path: Path) -> None:
    mine = tmp_path / "my-board.toml"
    text = (BOARDS / "milkv-duo.toml").read_text(encoding="utf-8").replace("milkv-duo", "my-board")
    mine.write_text(text + "\n# TOML that only a full reader takes\n", encoding="utf-8")
    for given in (mine, str(mine)):
        board = Board.load(given)
        assert (board.id, board.source) == ("my-board", str(mine))
    assert Board.load(mine).usable_ram_mib == 28


@pytest.mark.parametrize(("board_id", "arch", "libc"), [("generic-aarch64", "aarch64", "glibc")])
def test_load_a_generic_without_a_file(board_id: str, arch: str, libc: str) -> None:
    board = Board.load(board_id)
    assert (board.id, board.arch, board.libc, board.source) == (board_id, arch, libc, "")
    assert board.limits.name == "L0"
    assert Board.load("generic-riscv64-musl").wheel_tags == ("musllinux_1_2_riscv64",)


@pytest.mark.parametrize("name", ["rpi-zero-w", "raspberry-pi-zerow", "Raspberry-Pi-Zero-W"])
def test_unknown_id_names_the_near_ones(name: str) -> None:
    with pytest.raises(BoardError, match=r"unknown board .*did you mean .*raspberry-pi-zero-w"):
        Board.load(name)


@pytest.mark.parametrize("name", ["", "zzzzz", "limits", "generic", "generic-vax", "../boards/milkv-duo"])
def test_unknown_id(name: str) -> None:
    with pytest.raises(BoardError, match="unknown board"):
        Board.load(name)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Milk-V Duo"', "", "key 'name': is missing; add a string"),
        ('soc = "CV1800B"', "soc = 7", "key 'soc': is 7; write a string"),
        ("ram_mib = [64]", 'ram_mib = ["64"]', "key 'ram_mib': .* write a list of numbers above 0"),
        ("ram_mib = [64]", "ram_mib = [0]", "key 'ram_mib': .* above 0"),
        ("ram_mib = [64]", "ramm_mib = [64]", "key 'ram_mib': is missing"),
        ("usable_ram_mib = 28", "usable_ram_mb = 28", "usable_ram_mb': is not known .*usable_ram_mib"),
        (
            "usable_ram_mib = 28",
            "usable_ram_mib = true",
            "key 'usable_ram_mib': is True; write a whole number",
        ),
        ("usable_ram_mib = 28", "usable_ram_mib = -1", "key 'usable_ram_mib': is -1"),
        ('limits = ["L0"]', 'limits = ["L9"]', "key 'limits': has 'L9'; .* L0, L1, L2, L3"),
        ('limits = ["L0"]', "limits = []", "key 'limits': is empty"),
        ('python = ["3.9"]', "python = [3.9]", "key 'python': .* list of strings"),
        ('id = "milkv-duo"', 'id = "other"', "key 'id': is 'other'; .* 'milkv-duo'"),
        ('libc = "musl"', 'libc = "newlib"', r"key 'userland\[0\].libc': is 'newlib'; .*glibc"),
        ('engines = ["wasm3", "wasm2c"]', "engines = []", r"userland\[0\].engines': is empty"),
        ("guard_bytes = 65_536", "guard_bytes = 4096", "guard_bytes': is 4096; write a multiple of 65536"),
        ("[[userland]]", "[userland]", "key 'userland': .* write tables"),
        ("lines = 32", "pins = 32", r"key 'gpiochip\[0\].lines': is missing"),
        ("[buses]", "[busses]", r"key 'buses': is missing; add a table \[buses\]"),
        ("spi = []", "spi = []\ncan = []", "key 'buses.can': is not known"),
        ("soc =", "soc", "not TOML: .*line 3"),
    ],
)
def test_wrong_file_names_file_key_and_remedy(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (BOARDS / "milkv-duo.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "milkv-duo.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BoardError, match=said) as caught:
        Board.load(path)
    assert str(path) in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"none\.toml: cannot be read"):
        Board.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BoardError, match=r"bytes\.toml: cannot be read .*UTF-8"):
        Board.load(str(tmp_path / "bytes.toml"))


# ---- detect ---------------------------------------------------------------------------------------------

PI_ZERO_W = "raspberrypi,model-zero-w brcm,bcm2835"
PI_4 = "raspberrypi,4-model-b brcm,bcm2711"
PI_5 = "raspberrypi,5-model-b brcm,bcm2712"
BONE = "ti,am335x-bone-black ti,am335x-bone ti,am33xx"
ZERO = "xunlong,orangepi-zero allwinner,sun8i-h2-plus"
LUCKFOX = "rockchip,rv1103g-38x38-ipc-v10 rockchip,rv1103"
ROUTER = "xiaomi,mir4a-100m mediatek,mt7628an-soc"
LOADERS = {"glibc": "ld-linux-any.so.1", "musl": "ld-musl-any.so.1", "uclibc": "ld-uClibc.so.1"}


@pytest.mark.parametrize(
    ("arch", "compatible", "model", "mib", "expected"),
    [
        ("armv6l", PI_ZERO_W, "Raspberry Pi Zero W Rev 1.1", 427, "raspberry-pi-zero-w L2 armv6 glibc"),
        ("aarch64", PI_5, "Raspberry Pi 5 Model B Rev 1.0", 8062, "raspberry-pi-5 L3 aarch64 glibc"),
        ("armv7l", BONE, "TI AM335x BeagleBone Black", 485, "beaglebone-black L2 armv7 glibc"),
        ("riscv64", "milkv,duo sophgo,cv1800b", "Milk-V Duo", 28, "milkv-duo L0 riscv64 musl"),
        ("riscv64", "some,thing", "Cvitek. CV180X ASIC. C906.", 28, "milkv-duo L0 riscv64 musl"),
        ("riscv64", "", "Milk-V Duo256M", 190, "milkv-duo256m L1 riscv64 musl"),
        ("aarch64", "milkv,duo256m sophgo,sg2002", "", 190, "milkv-duo256m L1 aarch64 glibc"),
        ("armv7l", LUCKFOX, "Luckfox Pico Mini", 33, "luckfox-pico L0 armv7 uclibc"),
        ("armv7l", "xunlong,orangepi-zero-no-flash " + ZERO, "", 240, "orangepi-zero L1 armv7 glibc"),
        ("armv7l", ZERO, "", 493, "orangepi-zero L2 armv7 glibc"),
        ("armv7l", "friendlyarm,nanopi-neo " + ZERO, "", 493, "nanopi-neo L2 armv7 glibc"),
        ("armv7l", ZERO + " friendlyarm,nanopi-neo", "", 493, "orangepi-zero L2 armv7 glibc"),
        ("mips", ROUTER, "Xiaomi Mi Router 4A", 57, "openwrt-mt7628 L0 mipsel musl"),
        ("armv8l", PI_4, "Raspberry Pi 4 Model B Rev 1.4", 3800, "raspberry-pi-4 L3 armv7 glibc"),
        ("aarch64", "", "Raspberry Pi Compute Module 4 Rev 1.1", 1800, "raspberry-pi-4 L3 aarch64 glibc"),
        ("aarch64", PI_4, "", 900, "raspberry-pi-4 L3 aarch64 glibc"),
        ("x86_64", "", "", 16000, "generic-x86_64 L3 x86_64 glibc"),
        ("x86_64", "", "", 16000, "generic-x86_64 L3 x86_64 musl"),
        ("armv7l", "", "", 60, "generic-armv7-musl L0 armv7 musl"),
        ("armv7l", "", "", 240, "generic-armv7-musl L1 armv7 musl"),
        ("aarch64", "", "", 1900, "generic-aarch64 L3 aarch64 glibc"),
        ("riscv64", "", "", 500, "generic-riscv64-musl L2 riscv64 musl"),
    ],
)
def test_detect(tmp_path: Path, arch: str, compatible: str, model: str, mib: int, expected: str) -> None:
    if arch == "mips" and sys.byteorder == "big":
        pytest.skip("the byte order is the running machine's")
    root = machine(tmp_path, arch, expected.split()[-1], compatible, model, mib)
    board = Board.detect(root)
    assert f"{board.id} {board.limits.name} {board.arch} {board.libc}" == expected
    assert board.memory_mib == mib
    assert bool(board.wheel_tags) != bool(board.userland.no_wheel)
    assert not [note for note in board.notes if "unknown board" in note or "generic values" in note]
    assert Board.detect(str(root)) == board


@pytest.mark.parametrize(
    "model", ["Milk-V Duo S", "Milk-V Duo Module 01", "Luckfox Pico Max", "Raspberry Pi Zero"]
)
def test_a_sibling_is_not_mistaken_for_the_board(tmp_path: Path, model: str) -> None:
    root = machine(tmp_path, "riscv64", "musl", "acme,sibling", model, 500)
    board = Board.detect(root)
    assert board.id == "generic-riscv64-musl"
    assert f"unknown board {model!r}: this is the generic profile generic-riscv64-musl" in board.notes


def test_detect_by_cpuinfo_when_there_is_no_device_tree(tmp_path: Path) -> None:
    cpuinfo = (
        "processor\t: 0\nmodel name\t: ARMv6\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi Zero W Rev 1.1\n"
    )
    assert Board.detect(machine(tmp_path, "armv6l", "glibc", cpuinfo=cpuinfo)).id == "raspberry-pi-zero-w"


def test_detect_unknown_machine(tmp_path: Path) -> None:
    root = machine(tmp_path, "loongarch64", "glibc", "acme,one", "Acme One", 4000)
    board = Board.detect(root)
    assert (board.id, board.arch, board.libc, board.limits.name) == (
        "generic-loongarch64",
        "loongarch64",
        "glibc",
        "L3",
    )
    assert board.wheel_tags == ()
    assert "wasmtime" not in board.engines
    assert any("unknown board 'Acme One'" in note for note in board.notes)
    assert json.dumps(board.to_dict())


def test_detect_says_when_the_profile_lacks_the_userland(tmp_path: Path) -> None:
    root = machine(tmp_path, "armv8l", "musl", PI_5, "", 900)
    board = Board.detect(root)
    assert (board.id, board.arch, board.wheel_tags) == ("raspberry-pi-5", "armv7", ("musllinux_1_2_armv7l",))
    assert "wasmtime" not in board.engines
    assert any("no userland armv7 with musl" in note for note in board.notes)


def test_detect_says_when_the_memory_is_far_too_small(tmp_path: Path) -> None:
    board = Board.detect(machine(tmp_path, "armv6l", "glibc", PI_ZERO_W, "", 100))
    assert any("only 100 MiB of memory, 512 MiB expected" in note for note in board.notes)


def test_detect_an_unknown_libc_has_no_wheel_tags(tmp_path: Path) -> None:
    board = Board.detect(machine(tmp_path, "aarch64", "", PI_4, "", 4000))
    assert (board.id, board.libc, board.wheel_tags) == ("raspberry-pi-4", "unknown", ())
    assert "build from the sources" in board.userland.no_wheel


@pytest.mark.parametrize(
    "junk", [b"", b"\0", b"\0\0\0\xff\xfe", b"*", b'"', b"[[", b"MemTotal: x kB", b"MemTotal:", b": :"]
)
def test_detect_survives_junk(tmp_path: Path, junk: bytes) -> None:
    names = ("cpuinfo", "meminfo", "device-tree/compatible", "device-tree/model", "sys/kernel/arch")
    for name in names:
        path = tmp_path / "proc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(junk)
    board = Board.detect(tmp_path)
    assert board.id.startswith("generic-")
    assert board.memory_mib == 0


def test_detect_survives_folders_and_absence(tmp_path: Path) -> None:
    assert Board.detect(tmp_path / "none").id.startswith("generic-")
    for name in ("cpuinfo", "meminfo", "device-tree/compatible", "device-tree/model"):
        (tmp_path / "proc" / name).mkdir(parents=True)
    (tmp_path / "lib").write_text("")
    assert Board.detect(tmp_path).id.startswith("generic-")


def test_detect_here() -> None:
    board = Board.detect()
    assert board.memory_mib > 0
    assert board.engines
    assert Board.load(board.id).id == board.id or board.id.startswith("generic-")
    if os.uname().machine == "x86_64" and sys.maxsize > 2**32:
        assert board.arch == "x86_64"


# ---- where the files are --------------------------------------------------------------------------------


def installed(folder: Path, with_files: bool) -> Path:
    """Lay the module out as a wheel does and return the folder to import from."""
    package = folder / "wasi_native"
    package.mkdir()
    for name in ("board.py", "errors.py", "record.py"):
        shutil.copy(Path(board_module.__file__).with_name(name), package / name)
    (package / "__init__.py").write_text("")
    if with_files:
        shutil.copytree(BOARDS, package / "boards")
    return folder


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    clean = {**os.environ, "PYTHONPATH": str(folder)}
    line = [sys.executable, "-c", code]
    return subprocess.run(line, check=False, cwd=folder, env=clean, capture_output=True, text=True)


def test_boards_are_found_in_an_installed_package(tmp_path: Path) -> None:
    code = "from wasi_native.board import Board; print(len(Board.list()), Board.load('milkv-duo').source)"
    done = run(installed(tmp_path, with_files=True), code)
    assert done.stdout.split() == ["17", str(tmp_path / "wasi_native" / "boards" / "milkv-duo.toml")], (
        done.stderr
    )


def test_missing_or_damaged_files_are_a_board_error(tmp_path: Path) -> None:
    folder = installed(tmp_path, with_files=False)
    (tmp_path / "boards").mkdir()  # another package's folder, without our schema
    done = run(folder, "from wasi_native.board import Board; Board.detect()")
    assert "BoardError: no board files in" in done.stderr
    shutil.rmtree(tmp_path / "boards")
    shutil.copytree(BOARDS, tmp_path / "wasi_native" / "boards")
    (tmp_path / "wasi_native" / "boards" / "limits.toml").write_text("[L0]\nfds = oops\n")
    done = run(folder, "from wasi_native.board import Board; Board.load('milkv-duo')")
    assert "limits.toml: is damaged" in done.stderr


def test_import_pulls_in_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import __future__, sys; before = set(sys.modules);"
        "from wasi_native.board import Board; Board.detect();"
        "print(sorted(set(sys.modules) - before))"
    )
    done = run(installed(tmp_path, with_files=True), code)
    ours = ["wasi_native", "wasi_native.board", "wasi_native.errors", "wasi_native.record"]
    assert set(json.loads(done.stdout.replace("'", '"'))) - {"itertools"} == set(ours), done.stderr
