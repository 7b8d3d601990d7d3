"""Engines that have the clip made elsewhere: one flow (`flow.py`), and one pure wire per vendor."""
