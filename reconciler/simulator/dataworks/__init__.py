"""DataWorks, as far as it is simulated: signatures, parameters, operations, answers.

Everything here is written from the description of the service, never from `reconciler.providers`.
"""
