"""What a Python program does all day, inside the sandbox: run as ``python -c``. argv[1] is its directory."""

import hashlib
import json
import os
import random
import re
import sqlite3
import sys
import time
from pathlib import Path

top = Path(sys.argv[1])
print("python", *sys.version_info[:2], sys.platform)
print("argv", sys.argv[1:], "env", os.environ.get("DAY"))
print("stdin", json.loads(sys.stdin.read())["list"])

(top / "a" / "b").mkdir(parents=True)
data = bytes(i * 7 % 256 for i in range(300_000))
(top / "a" / "b" / "data.bin").write_bytes(data)
with open(top / "a" / "b" / "data.bin", "r+b") as file:
    file.seek(100_000)
    file.write(b"here")
    file.seek(-4, os.SEEK_END)
    print("tail", file.read().hex())
digest = hashlib.sha256((top / "a" / "b" / "data.bin").read_bytes()).hexdigest()
print("sha256", digest)
os.rename(top / "a" / "b" / "data.bin", top / "data.bin")
for name in ("three", "one", "two"):
    (top / "a" / name).write_text(name)
print("names", sorted(os.listdir(top / "a")), [str(p.relative_to(top)) for p in sorted(top.rglob("t*"))])
print("stat", os.stat(top / "data.bin").st_size, os.path.isdir(top / "a"))

with open(top / "day.json", "w") as out:
    json.dump({"words": re.findall(r"\w+", "one, two; three"), "pi": 3.14159}, out)
print("json", json.loads((top / "day.json").read_text()))

base = sqlite3.connect(top / "day.db")
base.execute("create table t (n integer, name text)")
base.executemany("insert into t values (?, ?)", [(n, f"row {n}") for n in range(1000)])
base.commit()
print("sqlite", base.execute("select count(*), sum(n), max(name) from t").fetchone())
base.close()
print("again", sqlite3.connect(top / "day.db").execute("select name from t where n = 500").fetchone())

for path in ("/etc/passwd", str(top / ".." / "x"), "../x"):
    try:
        open(path).close()
        print("opened", path)
    except OSError as error:
        print("refused", type(error).__name__)

random.seed(7)
print("random", random.randrange(10**6), len({os.urandom(8) for _ in range(100)}))
start = time.monotonic()
time.sleep(0.05)
print("slept", time.monotonic() - start >= 0.05, time.time() > 1.7e9)
print("to stderr", file=sys.stderr)
sys.exit(23)
