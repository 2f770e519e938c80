"""Run an untrusted plugin that may read one directory, and nothing else.

python examples/plugin.py [DIRECTORY with a notes.txt]
"""

import sys
import tempfile
from pathlib import Path

from wasi_native import Dir, Host, Limits, Policy

HERE = Path(__file__).parent


def main(folder: str) -> int:
    policy = Policy(
        dirs=[Dir(folder, "/data", read_only=True)],
        stdout="inherit",
        limits=Limits(memory=1 << 20, wall_time=5),
    )
    with Host(policy) as host, host.load(HERE / "cat.wat") as module, module.instantiate() as instance:
        return instance.run()


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(main(sys.argv[1]))
    with tempfile.TemporaryDirectory() as made:
        Path(made, "notes.txt").write_text("granted: this directory, read-only\n")
        sys.exit(main(made))
