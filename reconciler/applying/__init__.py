"""Doing what the plan says: observing, the create protocol, the engine, waiting.

Nothing is decided here. What planning decided is checked again right before it is done, with the very
functions that decided it.
"""
