"""A policy from a TOML file: what the operator grants, beside the program.

python examples/policy_file.py
"""

import tempfile
from pathlib import Path

from wasi_native import Host, Policy

HERE = Path(__file__).parent

with tempfile.TemporaryDirectory() as folder:
    Path(folder, "data").mkdir()
    Path(folder, "data", "notes.txt").write_text("granted by a file\n")
    file = Path(folder, "policy.toml")
    file.write_text(
        """
        stdout = "inherit"
        [[dirs]]
        host = "data"            # relative to the folder of the file
        guest = "/data"
        read_only = true
        [limits]
        memory = "1MiB"
        wall_time = "5s"
        """
    )
    policy = Policy.from_toml(file)
    print(*(line.replace(folder, "FOLDER") for line in policy.describe()), sep="\n", flush=True)
    with Host(policy) as host, host.load(HERE / "cat.wat").instantiate() as instance:
        instance.run()

print(*Policy.from_toml(HERE / "policy.toml").describe()[:2], "and more: see examples/policy.toml", sep="\n")
