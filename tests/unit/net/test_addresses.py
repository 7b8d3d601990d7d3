"""The block list against two other opinions: the standard library's and the C resolver's."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinogate.domain.errors import CallerError
from kinogate.net import FetchPolicy, SystemResolver, check_url, is_public_address

POLICY = FetchPolicy()


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
@settings(max_examples=500, deadline=None)
def test_we_are_never_laxer_than_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public_address(str(address)):
        inner = int(address) & 0xFFFFFFFF
        is_nat64 = address in ipaddress.ip_network("64:ff9b::/96")
        assert (ipaddress.IPv4Address(inner) if is_nat64 else address).is_global


PRIVATE = ["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"]


@given(st.sampled_from(PRIVATE), st.integers(0, 2**32 - 1), st.data())
@settings(max_examples=500, deadline=None)
def test_no_spelling_of_a_private_address_passes(
    network_text: str, number: int, data: st.DataObject
) -> None:
    network = ipaddress.IPv4Network(network_text)
    address = network[number % network.num_addresses]
    host = data.draw(spellings(address))
    assert socket.inet_aton(host) == address.packed  # the C library reads it as this address
    with pytest.raises(CallerError):
        check_url(f"http://{host}/", POLICY)


@st.composite
def spellings(draw: st.DrawFn, address: ipaddress.IPv4Address) -> str:
    """Dotted parts in mixed bases, the last of which may swallow the ones after it."""
    parts = list(address.packed)
    kept = draw(st.integers(0, 3))
    last = int.from_bytes(bytes(parts[kept:]), "big")
    bases = st.sampled_from(["{:d}", "{:#x}", "{:#X}", "0{:o}", "000{:o}", "0x{:08x}"])
    return ".".join(draw(bases).format(part) for part in [*parts[:kept], last])


@given(st.sampled_from(PRIVATE), st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_no_ipv6_form_around_a_private_address_is_public(network_text: str, number: int) -> None:
    network = ipaddress.IPv4Network(network_text)
    inner = int(network[number % network.num_addresses])
    for prefix, shift in (
        ("::", 0),
        ("::ffff:0:0", 0),
        ("::ffff:0:0:0", 0),
        ("64:ff9b::", 0),
        ("64:ff9b:1::", 0),
        ("2002::", 80),
        ("2001::", 0),
        ("fe80::5efe:0:0", 0),
    ):
        form = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | inner << shift)
        assert not is_public_address(str(form))


@given(st.text(max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_passes_or_is_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.com/{text}"):
        try:
            check_url(url, POLICY)
        except CallerError:
            continue


async def _answers(host: str) -> list[str]:
    return list(await SystemResolver(1)(host, 80))


def test_the_system_resolver_gives_plain_addresses() -> None:
    assert "127.0.0.1" in asyncio.run(_answers("127.0.0.1"))
