"""Flags of code objects, as ``inspect`` has them: see :file:`setup.py`, ``without_inspect``.

Source: CPython, Include/cpython/code.h; the numbers are the same in every version that is supported.
"""

CO_OPTIMIZED = 0x1
CO_NEWLOCALS = 0x2
CO_VARARGS = 0x4
CO_VARKEYWORDS = 0x8
CO_GENERATOR = 0x20
CO_COROUTINE = 0x80
CO_ASYNC_GENERATOR = 0x200
