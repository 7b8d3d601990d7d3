"""The guarded fetcher: the only way this server reads a URL that a stranger wrote.

Two borders. `check_url` judges what the text alone shows and touches nothing. `Fetcher` resolves
a name once, refuses it if any answer is not a public address, and connects to the very address it
judged, while Host, SNI and the certificate check stay on the name. Signed URLs of this server
never come here: the caller reads those from the blob store.
"""

from kinogate.net.fetch import UNREACHABLE_TEXT, Fetcher, Resolver, SystemResolver
from kinogate.net.urls import MAX_URL_CHARS, FetchPolicy, check_url, is_public_address

__all__ = [
    "MAX_URL_CHARS",
    "UNREACHABLE_TEXT",
    "FetchPolicy",
    "Fetcher",
    "Resolver",
    "SystemResolver",
    "check_url",
    "is_public_address",
]
