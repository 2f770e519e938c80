"""The recipes for image builders: what they name is there, and their numbers are the project's."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from wasi_native import __version__

PACKAGING = ROOT / "packaging"
RECIPES = {
    "buildroot": PACKAGING / "buildroot" / "package" / "python-wasi-native" / "python-wasi-native.mk",
    "openwrt": PACKAGING / "openwrt" / "python-wasi-native" / "Makefile",
}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_version_is_ours(name: str) -> None:
    text = RECIPES[name].read_text()
    assert re.findall(r"^\w*_VERSION :?= ?(.*)$|^PKG_VERSION:=(.*)$", text, flags=re.M) == [
        (__version__, "") if name == "buildroot" else ("", __version__)
    ]


def test_the_hash_of_the_license() -> None:
    (line,) = (
        line
        for line in RECIPES["buildroot"].with_suffix(".hash").read_text().splitlines()
        if not line.startswith("#")
    )
    assert line == f"sha256  {hashlib.sha256((ROOT / 'LICENSE').read_bytes()).hexdigest()}  LICENSE"


def test_the_source_is_this_checkout() -> None:
    """From the folder where each of them starts counting."""
    tree, feed = PACKAGING / "buildroot", RECIPES["openwrt"].parent
    assert "_SITE = $(BR2_EXTERNAL_WASI_NATIVE_PATH)/../..\n" in RECIPES["buildroot"].read_text()
    assert (tree / ".." / "..").resolve() == ROOT
    text = RECIPES["openwrt"].read_text()
    assert "$(CURDIR)/../../..\n" in text and (feed / ".." / ".." / "..").resolve() == ROOT
    copied = re.search(r"\$\(CP\) ((?:[\w./]+|\\\n|\s)+) \$\(PKG_BUILD_DIR\)", text)
    assert copied
    names = copied[1].replace("\\", "").split()
    assert {"setup.py", "pyproject.toml", "include", "wasi_native", "boards"} <= set(names)
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_names_fit_together() -> None:
    tree = PACKAGING / "buildroot"
    name = re.search(r"^name: (\w+)$", (tree / "external.desc").read_text(), flags=re.M)
    assert name
    texts = "".join(path.read_text() for path in tree.rglob("*") if path.is_file())
    assert set(re.findall(r"BR2_EXTERNAL_(\w+)_PATH", texts)) == {name[1]}
    assert "config BR2_PACKAGE_PYTHON_WASI_NATIVE\n" in texts
    packages = re.findall(r"call BuildPackage,([\w-]+)", RECIPES["openwrt"].read_text())
    assert packages == ["python3-wasi-native", "python3-wasi-native-src"]


def test_makefiles_have_tabs(tmp_path: Path) -> None:
    for path in RECIPES.values():
        assert not re.search(r"^ {4,}\S", path.read_text(), flags=re.M), path


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_switch_that_they_set_is_read(name: str) -> None:
    assert "WN_LTO=" in RECIPES[name].read_text()
    assert 'os.environ.get("WN_LTO"' in (ROOT / "setup.py").read_text()
