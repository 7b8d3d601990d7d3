"""Kinogate: one server for every Wan video API."""

__version__ = "0.1.0"
