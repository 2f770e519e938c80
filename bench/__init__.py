"""Benchmarks that anyone can run again: ``python -m bench``. How to read them: bench/README.md."""
