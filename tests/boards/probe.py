"""Memory of this process as it gets more to do, one line of JSON: run by ``memory.py`` in a process of its own.

    python probe.py ENGINE LIBRARY MODULE DIGEST FOLDER

ENGINE: wasm2c with a .wno as MODULE, or wasm3 with LIBRARY and a .wasm. Imports nothing that a program on a board
would not import.
"""

import json
import sys

INSTANCES = 20
FILES = 100


def rss() -> int:
    """KiB of this process that are in memory, files of libraries included."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def own() -> int:
    """KiB of it that no file stands behind."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


def main(engine: str, library: str, path: str, digest: str, folder: str) -> None:
    """Measure and print."""
    found = {"python": rss()}
    from wasi_native import Dir, Host, Limits, Native, Policy

    found["import"] = rss()
    policy = Policy(
        dirs=[Dir(folder, "/d")],
        limits=Limits(fds=FILES + 10, instances=INSTANCES + 2),
        native=Native(files=(digest,)) if engine == "wasm2c" else Native(),
    )
    host = Host(policy, engine=engine, engine_path=library or None)
    found["host"] = rss()
    module = host.load(path)
    found["module"] = rss()
    first = module.instantiate()
    first.memory.write(0, b"\xa5" * 4096)
    first.call("sched_yield")
    found["running"] = rss()
    before = rss()
    others = [module.instantiate() for _ in range(INSTANCES)]
    for other in others:
        other.memory.write(0, b"\xa5" * 4096)
        other.call("sched_yield")
    found["per_instance"] = round((rss() - before) / INSTANCES, 1)
    before, anon = rss(), own()
    rights = 1 << 1
    for number in range(FILES):
        first.memory.write(0, b"f%03d" % number)
        error = first.call("path_open", 3, 0, 0, 4, 1, rights, 0, 0, 64)
        if error:
            raise SystemExit(f"path_open: errno {error}")
    found["per_open_file"] = round((own() - anon) / FILES, 2)
    found["all"] = rss()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
