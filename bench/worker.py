"""A variant in another process: one line of JSON asks for a loop, one answers with its nanoseconds.

    -> {"export": "bench_seek", "turns": 4096}
    <- {"ns": 123456}  or  {"error": "..."}; the first line, unasked, is {"name": "..."}

The process waits in a read while others are measured.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any


class Worker:
    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self._missing: set[str] = set()
        self.threads = 0
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.version = str(self._answer()["name"])
        except BaseException:
            self.close()
            raise

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def has(self, export: str) -> bool:
        return export not in self._missing

    def run(self, export: str, turns: int) -> int:
        """Nanoseconds for so many turns, taken in that process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"export": export, "turns": turns}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.threads = max(self.threads, int(answer.get("threads", 0)))
        if "error" in answer:
            self._missing.add(export)
            raise RuntimeError(f"{self.name}: {answer['error']}")
        return int(answer["ns"])

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()
