"""Child processes; `workers` is the module that the children of these tests run."""
