"""What the text of a URL shows, and which addresses are public. Looks nothing up, opens nothing."""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass
from urllib.parse import quote

from kinogate.domain.errors import CallerError, ErrorCode

MAX_URL_CHARS = 4096
"""Our choice: presigned links with session tokens stay below 2,500."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = string.ascii_letters + string.digits + string.punctuation

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)"
    r"(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_ENCODED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")

# `ipaddress.is_global` answers True for multicast, 6to4, NAT64, 192.88.99.0/24 and more (seen on
# CPython 3.11), so the special-purpose registries are written out here.
_IPV4_BLOCKED = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; holds Alibaba's metadata service 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent, public by number only
        "169.254.0.0/16",  # link-local; metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside 2000::/3 is refused unseen: loopback, ::/96, mapped, NAT64's local prefix,
# unique-local, link-local, site-local, multicast, 5f00::/16.
_IPV6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_IPV6_BLOCKED = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",
    )
)
# On an IPv6-only host the resolver hands out IPv4 targets in this form, so it is judged by the
# IPv4 address inside.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """What the fetcher may do.

    Attributes:
        allow_hosts: `host` or `host:port` entries, IPv6 in brackets. A listed host may be private
            and, without a port in the entry, may use any port.
        connect_s: Seconds for resolving and connecting, and again for the TLS handshake.
        total_s: Seconds for the whole fetch with its redirects, however slowly it drips.
        stall_s: Longest pause between two pieces of an answer, or None for `total_s`.
        max_redirects: Hops followed after the first request.
        ports: Ports that any public host may use.
    """

    allow_hosts: frozenset[str] = frozenset()
    connect_s: float = 3.0
    total_s: float = 15.0
    stall_s: float | None = None
    max_redirects: int = 3
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})

    def trusts(self, host: str, port: int) -> bool:
        """Whether the operator let this host through; `host` in lower case, without brackets."""
        shown = f"[{host}]" if ":" in host else host
        return any(entry.lower() in (shown, f"{shown}:{port}") for entry in self.allow_hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart after every check that needs no lookup."""

    scheme: str
    host: str
    port: int
    path: str
    trusted: bool

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def is_public_address(text: str) -> bool:
    """Whether `text` is an address on the public internet that a stranger may name.

    Addresses that carry an IPv4 address inside (mapped, compatible, 6to4, Teredo) are never
    public; NAT64's well-known prefix is judged by the address inside.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address not in _NAT64:
            return address in _IPV6_GLOBAL and not any(address in net for net in _IPV6_BLOCKED)
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return not any(address in net for net in _IPV4_BLOCKED)


def check_url(url: str, policy: FetchPolicy) -> None:
    """Refuse a URL whose text alone shows that it must not or cannot be fetched.

    Looks nothing up and may be called any number of times. Refused are: other schemes than http
    and https, more than 4,096 characters, spaces and control characters (also percent-encoded),
    backslashes, fragments, credentials, ports off the policy, hosts outside ASCII (write the
    punycode form), names without a dot, every numeric spelling of an address other than
    dotted-decimal, and literal addresses that are not public.

    Raises:
        CallerError: `MEDIA_URL_INVALID`; the message never repeats the URL.
    """
    parse_url(url, policy)


def parse_url(url: str, policy: FetchPolicy) -> Target:
    """Check as `check_url` does and give the parts.

    Raises:
        CallerError: `MEDIA_URL_INVALID`.
    """
    if len(url) > MAX_URL_CHARS:
        raise _invalid(f"The URL must have at most {MAX_URL_CHARS} characters.")
    if any(char <= " " or char == "\\" or "\x7f" <= char <= "\xa0" for char in url):
        raise _invalid("The URL must not hold spaces, control characters or backslashes.")
    found = _URL.fullmatch(url)
    if found is None or found["scheme"].lower() not in _DEFAULT_PORTS:
        raise _invalid("The URL must begin with http:// or https:// and name a host.")
    if found["fragment"] is not None:
        raise _invalid("The URL must not have a fragment.")
    if _ENCODED_CONTROL.search(url):
        raise _invalid("The URL must not hold encoded control characters.")
    scheme = found["scheme"].lower()
    host, port = _split_authority(found["authority"], scheme)
    trusted = policy.trusts(host, port)
    if not trusted:
        if port not in policy.ports:
            allowed = ", ".join(map(str, sorted(policy.ports)))
            raise _invalid(f"The port of the URL must be one of {allowed}.")
        _check_host(host)
    target = quote((found["path"] or "/") + (found["query"] or ""), safe=_PRINTABLE)
    return Target(scheme=scheme, host=host, port=port, path=target, trusted=trusted)


def _split_authority(authority: str, scheme: str) -> tuple[str, int]:
    """Host in canonical form (lower case, no brackets, no final dot) and port."""
    if "@" in authority:
        raise _invalid("The URL must not hold credentials.")
    if not authority.isascii() or "%" in authority:
        raise _invalid("The host of the URL must be plain ASCII without escapes or zone ids.")
    host, colon, port_text = authority.lower(), "", ""
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        colon, port_text = rest[:1], rest[1:]
        if not bracket or colon not in ("", ":"):
            raise _invalid("The host of the URL is not valid.")
        try:
            host = str(ipaddress.IPv6Address(host))
        except ValueError:
            raise _invalid("The host of the URL is not valid.") from None
    else:
        host, colon, port_text = host.partition(":")
        host = _canonical_name(host)
    if not colon or not port_text:
        return host, _DEFAULT_PORTS[scheme]
    if not port_text.isdigit() or len(port_text) > 5 or not 0 < int(port_text) < 65536:
        raise _invalid("The port of the URL is not valid.")
    return host, int(port_text)


def _canonical_name(host: str) -> str:
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("The host of the URL is not valid.")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        # Resolvers read 127.1, 2130706433, 0x7f000001 and 0177.0.0.1 as loopback. No honest
        # client writes an address so: only four plain decimal numbers are taken.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise _invalid("The host of the URL is not valid.") from None
    return host


def _check_host(host: str) -> None:
    """Refuse hosts that are private by their very text."""
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        if not is_public_address(host):
            raise _invalid("The host of the URL must be a public address.")
    elif "." not in host or host.endswith((".localhost", ".local", ".internal", ".home.arpa")):
        raise _invalid("The host of the URL must be a public name.")


def _invalid(message: str) -> CallerError:
    return CallerError(ErrorCode.MEDIA_URL_INVALID, message)
