"""OBShell, as far as it is simulated: the handshake, DAG tasks, what operators do to them.

Everything here is written from the description of the service, never from `reconciler.providers`.
"""
