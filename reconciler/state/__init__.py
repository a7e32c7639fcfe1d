"""Recorded state: what we did and what we saw, in SQLite or PostgreSQL.

Owns the schema, the lease lock with its fence, the journal and the transitions of attempts. Refuses to
interpret any of it: what a record means for the next plan is planning's business.
"""
