"""Engines: whatever turns an order into a video file. They know no dialect."""
