"""Bytes and files from strangers: headers, inline media, decoders."""
