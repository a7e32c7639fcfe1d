"""Declare data backfills and manual workflow runs; review the plan; never start one twice."""

__version__ = "0.1.0"
