import av
import numpy as np
import pytest

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.media.mux import mux_sound
from kinogate.media.probe import audio_windows_db, probe_video

from .makers import a_tone, write_mp3, write_video, write_wav

TAGS = (("artist", "Kinogate"), ("AIGC", '{"Label":"1"}'), ("comment", "drawn"))


def _packets(path):
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, bytes(packet))
            for packet in container.demux(video=0)
            if packet.size
        ]


def _muxed(tmp_path, sound, *, seconds=5, clip_sound=None, fps=24):
    clip = write_video(
        tmp_path / "clip.mp4", fps=fps, count=fps * seconds, tags=TAGS, sound=clip_sound
    )
    out = tmp_path / "out.mp4"
    mux_sound(clip, sound, out)
    return clip, out


@pytest.mark.parametrize("fps", [16, 24, 30])
def test_the_picture_is_copied_packet_by_packet(tmp_path, fps):
    sound = write_wav(tmp_path / "a.wav", a_tone(5.0))

    clip, out = _muxed(tmp_path, sound, fps=fps)

    assert _packets(out) == _packets(clip)
    before, after = probe_video(clip), probe_video(out)
    assert after.frame_count == before.frame_count
    assert after.fps == before.fps
    assert after.duration_s == pytest.approx(5.0, abs=0.03)


def test_tags_stay_and_playing_can_start_at_once(tmp_path):
    _, out = _muxed(tmp_path, write_wav(tmp_path / "a.wav", a_tone(5.0)))

    facts = probe_video(out)
    assert set(TAGS) <= set(facts.tags)
    assert facts.faststart
    assert (facts.audio_codec, facts.audio_rate, facts.audio_channels) == ("aac", 48_000, 2)
    assert facts.audio_duration_s == pytest.approx(5.0, abs=0.03)


def test_a_shorter_sound_is_followed_by_silence(tmp_path):
    _, out = _muxed(tmp_path, write_mp3(tmp_path / "a.mp3", a_tone(3.0, rate=44_100)))

    loud = audio_windows_db(out)
    assert loud[1:29].min() > -20
    assert loud[32:].max() < -60
    assert len(loud) >= 49


def test_a_longer_sound_is_cut(tmp_path):
    _, out = _muxed(tmp_path, write_wav(tmp_path / "a.wav", a_tone(9.0)), seconds=2)

    facts = probe_video(out)
    assert facts.audio_duration_s == pytest.approx(2.0, abs=0.03)
    assert facts.duration_s == pytest.approx(2.0, abs=0.03)


def test_the_clips_own_sound_gives_way(tmp_path):
    silence = np.zeros((2, 48_000 * 3), dtype=np.float32)
    sound = write_wav(tmp_path / "a.wav", silence)

    _, out = _muxed(tmp_path, sound, seconds=3, clip_sound=a_tone(3.0))

    assert audio_windows_db(out).max() < -60


def test_a_sound_that_is_none_is_the_callers_fault_and_leaves_no_file(tmp_path):
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF....WAVEjunk")

    with pytest.raises(CallerError):
        _muxed(tmp_path, sound, seconds=1)

    assert not list(tmp_path.glob("out*"))


def test_a_clip_that_is_none_is_the_engines_fault(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no video at all")
    sound = write_wav(tmp_path / "a.wav", a_tone(1.0))

    with pytest.raises(InternalError) as caught:
        mux_sound(tmp_path / "clip.mp4", sound, tmp_path / "out.mp4")

    assert caught.value.code is ErrorCode.RESULT_INVALID
