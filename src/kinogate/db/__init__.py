"""Where tasks, money and keys are kept: one statement set for SQLite and Postgres.

Adapters of `TaskStore` and `KeyStore`; nothing here knows an engine, a dialect or HTTP.
"""
