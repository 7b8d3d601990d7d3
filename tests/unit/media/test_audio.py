import struct

import numpy as np
import pytest

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.media.audio import decode_audio, fit_length

from .makers import a_tone, write_float_wav, write_mp3, write_video, write_wav


def _code(path, **options):
    with pytest.raises(CallerError) as caught:
        decode_audio(path, **{"max_s": 10.0, **options})
    return caught.value.code


def test_a_wav_comes_back_as_it_was(tmp_path):
    sound = a_tone(1.5)
    read = decode_audio(write_wav(tmp_path / "a", sound), max_s=10)
    assert read.dtype == np.float32
    assert read.shape == sound.shape
    assert np.abs(read - sound).max() < 1e-3


def test_another_rate_is_brought_to_ours(tmp_path):
    path = write_wav(tmp_path / "a", a_tone(2, rate=44_100), rate=44_100)
    read = decode_audio(path, max_s=10)
    assert read.shape[1] == pytest.approx(96_000, abs=100)
    spectrum = np.abs(np.fft.rfft(read[0, :48_000]))
    assert spectrum.argmax() == 440


def test_one_channel_becomes_two_equal_ones(tmp_path):
    read = decode_audio(write_wav(tmp_path / "a", a_tone(1)[:1]), max_s=10)
    assert np.array_equal(read[0], read[1])
    assert np.abs(read).max() > 0.2


def test_an_mp3_is_read(tmp_path):
    path = write_mp3(tmp_path / "a", a_tone(3, rate=44_100))
    read = decode_audio(path, max_s=10)
    assert read.shape[1] / 48_000 == pytest.approx(3.0, abs=0.1)


def test_reading_stops_at_the_limit(tmp_path):
    path = write_mp3(tmp_path / "a", a_tone(6, rate=44_100))
    assert decode_audio(path, max_s=2).shape[1] == 96_000


def test_an_mp3_whose_header_lies_is_counted_and_not_believed(tmp_path):
    path = write_mp3(tmp_path / "a", a_tone(8, rate=44_100))
    path.write_bytes(path.read_bytes()[:6000])
    assert decode_audio(path, max_s=30).shape[1] < 48_000


def test_a_wav_cut_short_gives_what_is_there(tmp_path):
    path = write_wav(tmp_path / "a", a_tone(4))
    path.write_bytes(path.read_bytes()[: 44 + 48_000 * 4])
    assert decode_audio(path, max_s=30).shape[1] == pytest.approx(48_000, abs=1200)


def test_a_wav_without_samples_has_no_duration(tmp_path):
    path = write_wav(tmp_path / "a", np.zeros((2, 0)))
    assert _code(path) in (ErrorCode.MEDIA_DURATION, ErrorCode.MEDIA_FORMAT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello world, this is text",
        b"RIFF\x10\x00\x00\x00AVI LIST",
        b"RIFF\xff\xff\xff\xffWAVEgarbage that is no chunk",
        b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"no frames here " * 50,
        b"\xff\xfb" + b"\x00" * 3000,
        b"OggS" + b"\x00" * 100,
        b"fLaC" + b"\x00" * 100,
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
        b"#EXTM3U\nhttp://127.0.0.1:9/a.mp3\n",
        b"\xff\xf1\x50\x80\x00\x1f\xfc" + b"\x00" * 100,
    ],
    ids=[
        "empty",
        "text",
        "avi",
        "wav-junk",
        "id3-junk",
        "sync-junk",
        "ogg",
        "flac",
        "sdp",
        "m3u",
        "adts",
    ],
)
def test_what_is_neither_wav_nor_mp3_is_refused(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert _code(path) is ErrorCode.MEDIA_FORMAT


def test_an_mp4_with_sound_is_refused(tmp_path):
    assert _code(write_video(tmp_path / "a.mp3", sound=a_tone(1))) is ErrorCode.MEDIA_FORMAT


@pytest.mark.parametrize("rate", [1, 100, 4_000_000])
def test_a_rate_that_would_blow_up_is_refused(tmp_path, rate):
    path = write_wav(tmp_path / "a", a_tone(0.1))
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(bytes(data))
    assert _code(path) is ErrorCode.MEDIA_FORMAT


@pytest.mark.parametrize("codec", [0x0002, 0x0055, 0x4D4D], ids=["adpcm", "mp3", "unknown"])
def test_a_wav_of_another_codec_is_refused(tmp_path, codec):
    path = write_wav(tmp_path / "a", a_tone(0.5))
    data = bytearray(path.read_bytes())
    data[20:22] = struct.pack("<H", codec)
    path.write_bytes(bytes(data))
    assert _code(path) is ErrorCode.MEDIA_FORMAT


def test_floats_that_are_no_sound_become_sound(tmp_path):
    samples = a_tone(1)
    samples[0, 10], samples[0, 20], samples[1, 30], samples[1, 40] = np.nan, np.inf, -np.inf, 1e30
    read = decode_audio(write_float_wav(tmp_path / "a", samples), max_s=10)
    assert np.isfinite(read).all()
    assert np.abs(read).max() <= 1.0


def test_a_shorter_sound_ends_in_silence():
    fitted = fit_length(a_tone(3), 5 * 48_000)
    assert fitted.shape == (2, 240_000)
    assert np.array_equal(fitted[:, :144_000], a_tone(3))
    assert not fitted[:, 144_000:].any()


def test_a_longer_sound_is_cut_without_a_click():
    fitted = fit_length(np.ones((2, 480_000), np.float32), 240_000)
    assert fitted.shape == (2, 240_000)
    assert fitted[0, -1] == 0.0
    assert (fitted[:, : 240_000 - 240] == 1.0).all()
    assert np.abs(np.diff(fitted[0])).max() < 0.01


def test_fitting_twice_changes_nothing_more():
    once = fit_length(a_tone(3), 100_000)
    assert np.array_equal(fit_length(once, 100_000), once)


def test_fitting_leaves_its_input_alone():
    sound = a_tone(1)
    fit_length(sound, 1000)[:] = 5.0
    fit_length(sound, 48_000)[:] = 5.0
    assert np.array_equal(sound, a_tone(1))
