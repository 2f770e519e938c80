"""Lists the C files and builds ``wasi_native._core``.

Environment: ``WN_SAN=1`` builds with AddressSanitizer and UBSan, ``WN_COV=1`` for gcov, ``WN_DEBUG=1``
without optimisation; ``WN_LTO`` is the compiler's word for link-time optimisation, none when empty, ``WN_OPT``
its words for both halves, instead of speed for C and size for Cython. One extension serves every Python from 3.11
on (stable ABI); on 3.10, which lacks the buffer protocol there, it is built for that version alone.
"""

import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.modified import newer_group

ROOT = Path(__file__).parent
FOLDERS = (
    "core",
    "core/mem",
    "core/os/posix",
    "core/os/fake",
    "core/sys",
    "core/guest",
    "core/comp",
    "core/p1",
    "core/p2",
    "core/engine",
)
STABLE = sys.version_info >= (3, 11)
DEPENDENCIES = ["tomli>=2; python_version < '3.11'"]
if (
    sys.maxsize > 2**32
):  # a 32-bit Python on a 64-bit kernel has its name of the machine, and no library for it
    DEPENDENCIES.append("wasmtime>=40,<51; platform_machine == 'x86_64' or platform_machine == 'aarch64'")

compile_args = ["-std=c11", "-D_FILE_OFFSET_BITS=64", "-fvisibility=hidden", "-fno-strict-aliasing"]
compile_args += ["-Wall", "-Wextra", "-Wno-unused-parameter"]  # the last is Cython's
link_args: list[str] = []
MODE = next((name for name in ("WN_SAN", "WN_COV", "WN_DEBUG") if os.environ.get(name)), "release")
OPT = os.environ.get("WN_OPT", "").split()
macros = [("Py_LIMITED_API", "0x030B0000")] if STABLE else []
if MODE == "WN_SAN":
    flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    flags += ["-fno-omit-frame-pointer"]
    compile_args += flags
    link_args += flags
elif MODE == "WN_COV":
    compile_args += ["-g", "-O0", "--coverage", "-fprofile-update=atomic"]
    link_args += ["--coverage"]
elif MODE == "WN_DEBUG":
    compile_args += ["-g", "-O0"]
else:
    lto = os.environ.get("WN_LTO", "auto")
    flags = [*(OPT or ["-O3"]), *([f"-flto={lto}"] if lto else [])]
    compile_args += [*flags, "-g0", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"]
    compile_args += ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]  # nothing is thrown through C
    link_args += [*flags, "-s", "-Wl,--gc-sections", "-Wl,--hash-style=gnu"]


def without_inspect(extension: Extension) -> Extension:
    """On the stable ABI, Cython's start-up code imports ``inspect`` for seven constants and ``collections.abc``
    for two classes. That is nine tenths of the time that ``_core`` takes to import, so it asks cheaper modules."""
    path = ROOT / extension.sources[0]
    text = path.read_text()
    cheaper = text.replace('ImportModule("inspect")', 'ImportModule("wasi_native._flags")')
    cheaper = cheaper.replace('ImportModule("collections.abc")', 'ImportModule("_collections_abc")')
    if cheaper != text:
        path.write_text(cheaper)
    return extension


def options_of(source: str, options: dict[str, Any]) -> dict[str, Any]:
    """What Cython writes is half of the extension and runs around a guest's calls, not in them: it is made small.
    So is what reads and rewrites modules when they are loaded, and the kernel of the tests."""
    cold = re.search(r"/(_core|os/fake/\w+|engine/wasm_(?!c_api)\w+)\.c$", source)
    if MODE != "release" or not cold:
        return options
    return {**options, "extra_postargs": [*options["extra_postargs"], *(OPT or ["-Os"])]}


class BuildSideBySide(build_ext):
    """Compiles the files of the extension in parallel, and those alone that are newer than their objects."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.build_temp = os.path.join(self.build_temp, MODE)

    def build_extension(self, ext: Extension) -> None:
        """A library of another mode is newer than its sources too: it goes, and is linked of this mode's objects."""
        last = Path(self.build_temp).parent / "mode"
        if not (last.is_file() and last.read_text() == MODE):
            Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)
        super().build_extension(ext)
        last.parent.mkdir(parents=True, exist_ok=True)
        last.write_text(MODE)

    def build_extensions(self) -> None:
        compile_some = self.compiler.compile

        def compile_all(sources: list[str], output_dir: str, **options: Any) -> list[str]:
            objects = self.compiler.object_filenames(sources, output_dir=output_dir)
            common = [__file__, *options["depends"]]
            stale = [
                s for s, o in zip(sources, objects, strict=True) if self.force or newer_group([s, *common], o)
            ]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                started = [
                    pool.submit(compile_some, [s], output_dir=output_dir, **options_of(s, options))
                    for s in stale
                ]
                for done in started:
                    done.result()
            return objects

        self.compiler.compile = compile_all
        super().build_extensions()


class BuildWithBoards(build_py):
    """Puts the board files, which live beside the package in the source tree, into the package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "wasi_native" / "boards"
        target.mkdir(parents=True, exist_ok=True)
        for source in sorted((ROOT / "boards").glob("*.*")):
            shutil.copy(source, target / source.name)
        header = Path("include") / "wasi_native" / "aot.h"  # compiled into each guest
        shutil.copy(ROOT / header, Path(self.build_lib) / "wasi_native" / "aot_rt" / header.name)


sources = ["wasi_native/_core.pyx"]
for folder in FOLDERS:
    sources += sorted(glob(f"wasi_native/{folder}/*.c", root_dir=ROOT))

extension = Extension(
    "wasi_native._core",
    sources,
    include_dirs=["include", "wasi_native"],
    depends=[*glob("include/**/*", recursive=True), *glob("wasi_native/core/**/*.h", recursive=True)],
    define_macros=macros,
    py_limited_api=STABLE,
    extra_compile_args=compile_args,
    extra_link_args=link_args,
)

setup(
    cmdclass={"build_ext": BuildSideBySide, "build_py": BuildWithBoards},
    install_requires=DEPENDENCIES,
    ext_modules=[without_inspect(item) for item in cythonize([extension], quiet=True)],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
