"""The HTTP edge: generic handlers over the dialects; no policy."""
