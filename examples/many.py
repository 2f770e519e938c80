"""Guests beside other tasks of asyncio; each runs on a thread of its own without the interpreter's lock.

python examples/many.py
"""

import asyncio
from pathlib import Path

from wasi_native import Host, Module


async def work(module: Module, number: int) -> int:
    with module.instantiate() as instance:
        await instance.call_async("nap", 20)
        result: int = await instance.call_async("add", number, number)
        return result


async def main() -> None:
    with Host() as host:
        module = host.load(Path(__file__).parent / "sleep.wat")
        print(await asyncio.gather(*(work(module, number) for number in range(8))))

        with module.instantiate() as instance:
            try:
                await asyncio.wait_for(instance.call_async("spin"), 0.05)
            except asyncio.TimeoutError:
                print(f"a task that is cancelled ends its guest: {instance.end}")


if __name__ == "__main__":
    asyncio.run(main())
