"""The files that `init` writes; every one of them is planned and applied by a test."""
