"""Give a plugin a function of yours, and read and write its memory.

python examples/host_function.py [NAME]
"""

import sys
from pathlib import Path

from wasi_native import Host, HostFunction


def main(name: str) -> None:
    lines: list[str] = []

    def log(pointer: int, length: int) -> None:
        # Runs while the guest waits. What it raises comes out of instance.call() unchanged, and ends the guest.
        lines.append(instance.memory.read(pointer, length).decode())

    with Host() as host:
        module = host.load(Path(__file__).parent / "greet.wat")
        with module.instantiate(functions=[HostFunction("host", "log", "ii", "", log)]) as instance:
            raw = name.encode()
            instance.memory.write(1024, raw)
            print(f"the plugin answered {instance.call('greet', len(raw))}")
    print(f"it logged {lines}")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["World"]))
