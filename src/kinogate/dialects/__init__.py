"""The dialects: one file each, pure codecs between a vendor's wire form and our own values."""
