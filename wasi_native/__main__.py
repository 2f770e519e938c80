"""``python -m wasi_native`` is ``wasi-native``."""

from .cli import entry

if __name__ == "__main__":
    entry()
