"""``wasi-native sign``: Ed25519 signatures of compiled files, and key pairs to make them with."""

from __future__ import annotations

import os

from ..errors import ModuleError
from .options import VALUE, Command, Usage
from .out import clean, complain, say, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMAND", "main"]

COMMAND = Command(
    "sign",
    "--key PRIVATE FILE...  |  --new-key PRIVATE",
    "Signs compiled guests (.wno) with an Ed25519 key, so that a host whose policy allows the public key loads them: "
    "a new version of a plugin then needs no new policy. A signature that a file has is replaced. Needs the package "
    "cryptography: python -m pip install 'wasi_native[sign]'.",
    (
        ("--key", VALUE, "PRIVATE", "the private key: PEM as openssl writes it, or 64 hex digits"),
        (
            "--new-key",
            VALUE,
            "PRIVATE",
            "make a key pair: the private key in the new file PRIVATE, which only you can read, the public key in "
            "PRIVATE.pub",
        ),
        ("-o", VALUE, "OUT", "write the signed file here, instead of in the place of the one FILE"),
    ),
    """\
openssl makes the same keys:
  openssl genpkey -algorithm ed25519 -out release.pem
  openssl pkey -in release.pem -pubout -out release.pem.pub

Exit status: 0; 1 when a file cannot be signed or a key not be used; 2 for a mistake on the command line.

Examples:
  wasi-native sign --new-key release.pem
  wasi-native sign --key release.pem plugin.wno
  wasi-native run --allow-native release.pem.pub plugin.wno
""",
)

_KEY_MAX = 1 << 16
_FILE_MAX = 1 << 30


def main(options: dict[str, Any], rest: list[str]) -> int:
    from ..aot_sign import Unsigned

    if ("--key" in options) == ("--new-key" in options):
        raise Usage("write --key PRIVATE FILE..., or --new-key PRIVATE")
    try:
        if "--new-key" in options:
            if rest or "-o" in options:
                raise Usage("--new-key signs nothing; write --key PRIVATE FILE... afterwards")
            return _new(options["--new-key"])
        if not rest:
            raise Usage("FILE is missing; write wasi-native sign --key PRIVATE FILE...")
        if "-o" in options and len(rest) != 1:
            raise Usage(f"-o takes one FILE, not {len(rest)}")
        key = _read(options["--key"], _KEY_MAX)
        for path in rest:
            _sign(path, options.get("-o") or path, key)
        return 0
    except Unsigned as error:
        name = options.get("--key") or options["--new-key"]
        complain(f"wasi-native sign: {name}", str(error))
    except ModuleError as error:
        complain("wasi-native sign", str(error))
    return 1


def _read(path: str, most: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ModuleError(f"{os.path.basename(path)}: larger than {most} bytes; this is another file")
    return data


def _sign(path: str, target: str, key: bytes) -> None:
    from .. import aot
    from ..aot_sign import sign

    name = clean(os.path.basename(path))
    before = _read(path, _FILE_MAX)
    data = sign(name, before, key)
    write(target, data)
    found = aot.read(name, data)
    said = "signed again" if aot.unsigned(before) != before else "signed"
    say(f"{clean(target)}: {said} with the key {found.key}\n  sha256 {found.sha256}\n")


def _new(path: str) -> int:
    from ..aot_sign import new_key, public_key

    private, public = new_key()
    for name in (path, f"{path}.pub"):
        if os.path.lexists(name):
            complain(
                "wasi-native sign",
                f"{name} is there already, and a key is not written over; choose another name",
            )
            return 1
    write(path, private, 0o600)
    write(f"{path}.pub", public)
    digits = public_key(public)
    say(
        f"{clean(path)}: the private key; it signs, so keep it off the boards\n"
        f"{clean(path)}.pub: the public key\n"
        "to allow what it signs:\n"
        f"  wasi-native run --allow-native {clean(path)}.pub plugin.wno\n"
        f'  Policy(native=Native(keys=["{digits}"]))\n'
        f'  [native]  keys = ["{digits}"]   in a policy file\n'
    )
    return 0
