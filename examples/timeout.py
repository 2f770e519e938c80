"""End a guest that takes too long: by a deadline, or from another thread. Sleeping or computing, both end.

python examples/timeout.py
"""

import threading
from pathlib import Path

from wasi_native import Cancelled, Host, InstanceDead, Timeout

with Host() as host:
    module = host.load(Path(__file__).parent / "sleep.wat")

    with module.instantiate() as instance:
        try:
            instance.call("spin", timeout=0.05)
        except Timeout:
            print("an endless loop: ended by its deadline")
        try:
            instance.call("add", 1, 2)
        except InstanceDead:
            print("it is never resumed: make a new instance")

    with module.instantiate() as instance:
        timer = threading.Timer(0.05, instance.cancel)
        timer.start()
        try:
            instance.call("nap", 3_600_000)
        except Cancelled:
            print("an hour of sleep: cancelled by another thread")
        timer.join()
