"""A component of Python: what componentize-py makes of this file and program.wit."""

import hashlib
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import words


class Words(exports.Words):
    """The interface that others call."""

    def count(self, text: str) -> list[words.Entry]:
        if not text:
            raise Err(words.Problem_Empty())
        if len(text) > 1000:
            raise Err(words.Problem_TooLong(len(text)))
        found = Counter(re.findall(r"\w+", text.lower()))
        return [words.Entry(word, times) for word, times in sorted(found.items())]


class Run(exports.Run):
    """The program."""

    def run(self) -> None:
        print("argv", sys.argv[1:], "env", os.environ.get("DAY"))
        text = sys.stdin.read()
        print("stdin", json.loads(text)["list"], hashlib.sha256(text.encode()).hexdigest()[:16])
        top = Path("/box")
        (top / "a").mkdir()
        (top / "a" / "data.bin").write_bytes(bytes(range(256)) * 1000)
        os.rename(top / "a" / "data.bin", top / "moved.bin")
        print("files", sorted(os.listdir(top)), os.stat(top / "moved.bin").st_size)
        for path in ("/etc/passwd", "/box/../x"):
            try:
                open(path).close()
                print("opened", path)
            except OSError as error:
                print("refused", type(error).__name__)
        start = time.monotonic()
        time.sleep(0.01)
        print(
            "slept",
            time.monotonic() - start >= 0.01,
            time.time() > 1.7e9,
            len({os.urandom(8) for _ in range(9)}),
        )
        print("to stderr", file=sys.stderr)
        if len(sys.argv) > 1:
            raise Err(None)
