"""A package, so that test files here may have the names of files elsewhere."""
