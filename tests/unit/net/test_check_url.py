"""What the text of a URL alone gives away: no lookup, no socket."""

from __future__ import annotations

import pytest

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.net import MAX_URL_CHARS, FetchPolicy, check_url, is_public_address

POLICY = FetchPolicy()

BAD = [
    # not a URL that we fetch
    "",
    "not a url",
    "ftp://example.com/a.png",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://example.com/",
    "data:image/png;base64,AAAA",
    "\\\\host\\share",
    "//example.com/a.png",
    "http:/example.com/a.png",
    "http:example.com",
    "http://",
    "http:///a.png",
    "http://?a",
    "https://.",
    "http://..",
    # hidden characters
    " http://example.com/",
    "http://example.com/\r\nX: y",
    "http://exam\tple.com/",
    "http://example.com/%0d%0aX:%20y",
    "http://example.com/a%00.png",
    "http://example.com\\@10.0.0.1/",
    "http://example.com/\x85",
    # credentials, fragments, ports
    "http://user:pass@example.com/",
    "http://user@example.com/",
    "http://a@b@c/",
    "http://example.com/#frag",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:6379/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://example.com:8o/",
    "http://example.com:443443/",
    "http://example.com:+80/",
    # loopback in every spelling
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://0/",
    "http://0.0.0.0/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://127.0.0.0x1/",
    "http://0x/",
    "http://127.0.0.1.0x0/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://\uff18.\uff18.\uff18.\uff18/",
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://127\u30020\u30020\u30021/",
    "http://%31%32%37.0.0.1/",
    "http://ex\u0430mple.com/",  # Cyrillic a
    # private and special literals
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    # IPv6
    "http://[::1]/",
    "http://[::]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://[100::1]/",
    "http://[::1",
    "http://[::1]x/",
    "http://::1/",
    "http://[v1.fe80]/",
    # names that cannot be public
    "http://intranet/",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://router.home.arpa/",
    "http://-a.example.com/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 127 + "com/",
    "http://example.com/" + "a" * MAX_URL_CHARS,
]

GOOD = [
    "http://example.com",
    "HTTPS://EXAMPLE.com./a%20b.png?x=1&y=%2F",
    "https://example.com:8443/a.png",
    "http://8.8.8.8/a.png",
    "http://[2606:4700:4700::1111]:8080/a.png",
    "http://[64:ff9b::808:808]/a.png",
    "https://xn--fiqs8s.example/图.png",
    "https://bucket.oss-cn-beijing.aliyuncs.com/a.png?Expires=1&Signature=a%2Bb%3D",
    "https://example.com/?u=user@host",
    "https://127.0.0.1.nip.io/",  # only the lookup shows what this is
]


@pytest.mark.parametrize("url", BAD, ids=range(len(BAD)))
def test_a_url_that_is_visibly_wrong_is_refused_without_being_repeated(
    url: str,
) -> None:
    with pytest.raises(CallerError) as caught:
        check_url(url, POLICY)
    assert caught.value.code is ErrorCode.MEDIA_URL_INVALID
    assert "pass" not in caught.value.message


@pytest.mark.parametrize("url", GOOD)
def test_an_ordinary_url_passes(url: str) -> None:
    check_url(url, POLICY)


def test_the_longest_url_passes() -> None:
    url = "http://example.com/".ljust(MAX_URL_CHARS, "a")
    check_url(url, POLICY)
    with pytest.raises(CallerError):
        check_url(url + "a", POLICY)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000/a"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/a"),
        ("[::1]:9000", "http://[::1]:9000/a"),
        ("minio", "http://minio:9000/a"),
        ("Minio:80", "http://MINIO/a"),
    ],
)
def test_an_allow_listed_host_may_be_private_and_use_its_port(entry: str, url: str) -> None:
    check_url(url, FetchPolicy(allow_hosts=frozenset({entry})))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9001/", "http://127.0.0.2:9000/", "http://2130706433:9000/"],
)
def test_an_allow_list_entry_opens_nothing_else(url: str) -> None:
    with pytest.raises(CallerError):
        check_url(url, FetchPolicy(allow_hosts=frozenset({"127.0.0.1:9000"})))


@pytest.mark.parametrize("text", ["", "example.com", "1", "127.1", "fe80::1%1", "::ffff:1.1.1.1"])
def test_what_is_no_plain_public_address_is_not_public(text: str) -> None:
    assert not is_public_address(text)
