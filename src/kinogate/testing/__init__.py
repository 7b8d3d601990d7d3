"""For authors of engines: the cases that every engine must pass, ready to be run by any test tool.

Nothing of the server imports this package.
"""
