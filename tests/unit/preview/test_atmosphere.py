import numpy as np
import pytest

from kinogate.engines.preview.atmosphere import Air, Atmosphere, parse_air

from .pictures import textured


@pytest.mark.parametrize(
    ("prompt", "air"),
    [("it is raining", Air.RAIN), ("下雨的街道", Air.RAIN), ("snow falls", Air.SNOW), ("雪花飘落", Air.SNOW),
     ("cherry blossoms", Air.PETALS), ("花瓣飞舞", Air.PETALS), ("embers rise", Air.SPARKS),
     ("a foggy morning", Air.FOG), ("晨雾", Air.FOG), ("sunlight", Air.LIGHT), ("bubbles", Air.BUBBLES)],
)  # fmt: skip
def test_words_fill_the_air(prompt, air):
    assert air in parse_air(prompt, "")


@pytest.mark.parametrize(
    "prompt", ["", "a cat on a table", "a train arrives", "no rain", "without snow", "没有雨"]
)
def test_nothing_is_in_the_air_unless_asked(prompt):
    assert parse_air(prompt, "") == ()


def test_a_negative_prompt_clears_the_air():
    assert parse_air("rain and snow", "rain") == (Air.SNOW,)


@pytest.mark.parametrize("air", list(Air))
def test_it_fades_in_from_nothing(air):
    weather = Atmosphere((air,), 1, 320, 180, 24)
    frame = textured()
    weather.draw(frame, 0)
    assert np.array_equal(frame, textured())
    weather.draw(frame, 48)
    assert np.abs(frame.astype(int) - textured()).mean() > 0.05


@pytest.mark.parametrize("air", list(Air))
def test_it_moves_and_repeats_for_the_same_seed(air):
    def at(index, seed=1):
        frame = textured()
        Atmosphere((air,), seed, 320, 180, 24).draw(frame, index)
        return frame

    assert np.array_equal(at(50), at(50))
    assert not np.array_equal(at(50), at(51))
