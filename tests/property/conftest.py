"""Hypothesis as our machines need it: no deadline on a busy runner, nothing written beside the code."""

from hypothesis import settings

settings.register_profile("reconciler", deadline=None, database=None)
settings.load_profile("reconciler")
