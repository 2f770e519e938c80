"""A server in a guest: it gets one listener, already open, and no other way to the network.

python examples/tcp_echo.py
"""

import socket
import threading
from pathlib import Path

from wasi_native import Host, Listen, Policy

with (
    Host(Policy(listen=[Listen("tcp://127.0.0.1:0")])) as host,
    host.load(Path(__file__).parent / "echo.wat").instantiate() as instance,
):
    ends: list[int] = []
    server = threading.Thread(target=lambda: ends.append(instance.run(timeout=10)))
    server.start()
    address = instance.listening[0]
    assert isinstance(address, tuple)
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(b"there and back")
        client.shutdown(socket.SHUT_WR)
        print(client.makefile("rb").read().decode())
    server.join()
    print(f"the server ended with {ends[0]}")
