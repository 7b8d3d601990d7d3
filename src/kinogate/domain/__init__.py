"""What Kinogate knows without touching the world: requests, tasks, models, money, errors.

Standard library only; frozen dataclasses and enums; no I/O and no clock.
"""
