"""Keep what a guest writes, up to a limit, instead of letting it reach the terminal.

python examples/capture.py
"""

from pathlib import Path

from wasi_native import Capture, Host, Policy

policy = Policy(stdout=Capture(limit=64 * 1024), stderr=Capture())
with Host(policy) as host:
    module = host.load(Path(__file__).parent / "hello.wat")
    with module.instantiate() as instance:
        code = instance.run()
        print(f"exit code {code}, stdout {instance.stdout!r}, stderr {instance.stderr!r}")
        print(f"{instance.usage.output_bytes} bytes written")
