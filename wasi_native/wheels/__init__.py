"""Builds the wheels of every board on a PC: ``python -m wasi_native.wheels``, in a checkout of the sources.

A tool of the build, like ``wasi_native/abi``: it is in no wheel, since it needs the sources and a compiler. What it
needs is installed by ``python -m pip install -e '.[wheels]'``.
"""
