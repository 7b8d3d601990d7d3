"""Execution that survives crashes: the port `Durable` on DBOS, and a plain one for one process.

Admission (order, ceilings, cancel before start) is the task store's; here a claimed task becomes
a workflow. Nothing here knows what a stage does.
"""
