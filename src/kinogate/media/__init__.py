"""Bytes and files of pictures, sound and video; PyAV, OpenCV and Pillow live in here.

Nothing is imported here on purpose: the API process may name this package without paying for its
decoders.
"""
