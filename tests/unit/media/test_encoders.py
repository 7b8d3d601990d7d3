"""The encoder that this machine has, found by using it."""

from __future__ import annotations

import pytest

from kinogate.media.encoders import NVENC, X264, best_encoder


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), X264),
        (("no_such_encoder",), X264),
        (("aac",), X264),  # an encoder, but of sound
        (("no_such_encoder", "mpeg4"), "mpeg4"),
    ],
)
def test_the_first_that_opens_is_taken_and_x264_is_always_there(
    wanted: tuple[str, ...], found: str
) -> None:
    assert best_encoder(320, 192, wanted) == found


def test_a_size_that_an_encoder_does_not_take_goes_to_x264() -> None:
    assert best_encoder(9000, 9000, ("mjpeg", "h263")) in {"mjpeg", X264}
    assert best_encoder(64, 64, ("h263",)) == X264  # it knows five sizes


def test_the_cards_own_encoder_is_asked_and_does_no_harm_where_there_is_none() -> None:
    assert best_encoder(1280, 720) in {NVENC, X264}
