"""The engine's section: what it says, and where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.knobs import Expert
from kinogate.domain.resolution import Tier
from kinogate.engines.base import BadOptions
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.options import read_options

SHORT = {"card": "wan2.2-ti2v-5b", "path": "/weights/ti2v"}


def test_the_short_form_is_one_model_with_the_cards_own_numbers() -> None:
    options = read_options(SHORT)

    (setup,) = options.models
    assert setup.card == CARDS["wan2.2-ti2v-5b"]
    assert setup.source == "/weights/ti2v"
    assert (options.preset, options.devices, options.dtype) == ("lossless", ("auto",), "bfloat16")
    assert not options.is_hub
    assert not options.is_row_fps


def test_the_long_form_says_everything_of_each_model() -> None:
    options = read_options(
        {
            "models": [
                {
                    "card": "wan2.2-t2v-a14b",
                    "path": "/a14b",
                    "serves": ["wan2.6-t2v"],
                    "top_tier": "1080p",
                    "steps": 30,
                    "guidance_2": 2.5,
                    "loras": {"fast_high": "/h.safetensors", "fast_low": "/l.safetensors"},
                    "turbo_loras": [
                        {"name": "fast_high", "expert": "high"},
                        {"name": "fast_low", "expert": "low"},
                    ],
                },
                {"card": "wan2.1-vace-14b", "path": "/vace", "long": False},
            ],
            "preset": "balanced",
            "devices": ["cuda:0", "cuda:1"],
            "long": True,
            "fps": "row",
            "memory_gib": 40,
            "spares": 1,
        }
    )

    first, second = options.models
    assert first.card.serves == ("wan2.6-t2v",)
    assert first.does_serve("wan2.6-t2v")
    assert not first.does_serve("wan2.2-t2v-plus")
    assert (first.card.top_tier, first.card.steps) == (Tier.P1080, 30)
    assert (first.card.guidance, first.card.guidance_2) == (4.0, 2.5)
    assert [lora.expert for lora in first.turbo or ()] == [Expert.HIGH, Expert.LOW]
    assert (first.is_long, second.is_long) == (True, False)
    assert options.devices == ("cuda:0", "cuda:1")
    assert options.memory_bytes == 40 * 2**30


def test_the_hub_is_asked_for_the_cards_own_repository() -> None:
    options = read_options({"card": "wan2.1-t2v-1.3b", "hub": True})
    assert options.models[0].source == "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"


def test_a_clip_is_looked_at_before_its_time_only_where_the_operator_wants_it() -> None:
    assert not read_options(SHORT).has_previews
    assert read_options(SHORT | {"previews": True}).has_previews


def test_a_pattern_of_names_can_be_served() -> None:
    (setup,) = read_options(SHORT | {"serves": ["wan2.6-*", "wan3.0-video"]}).models
    assert setup.does_serve("wan2.6-i2v-flash")
    assert not setup.does_serve("wan2.5-t2v-preview")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "card: must be one of"),
        ({"card": "wan9"}, "card: must be one of wan2.1-t2v-1.3b"),
        ({"card": "wan2.2-ti2v-5b"}, "path: must name the folder"),
        (SHORT | {"pat": 1}, "pat: the diffusers engine has no such option"),
        (SHORT | {"preset": "quick"}, "preset: must be one of lossless"),
        (SHORT | {"preset": "turbo"}, "preset: turbo needs turbo_loras or distilled"),
        (SHORT | {"devices": "tpu"}, "devices: each must be"),
        (SHORT | {"devices": []}, "devices: must be one device"),
        (SHORT | {"devices": ["cuda:0", "cuda:0"]}, "devices: a device is named twice"),
        (SHORT | {"dtype": "int8"}, "dtype: must be one of"),
        (SHORT | {"hub": "yes"}, "hub: must be true or false"),
        (SHORT | {"previews": 1}, "previews: must be true or false"),
        (SHORT | {"fps": 30}, "fps: must be one of native, row"),
        (SHORT | {"memory_gib": 0}, "memory_gib: must be a number from"),
        (SHORT | {"spares": True}, "spares: must be a whole number"),
        (SHORT | {"steps": 0}, "steps: must be a whole number from 1 to 200"),
        (SHORT | {"boundary": 0.5}, "boundary: wan2.2-ti2v-5b has one transformer"),
        (SHORT | {"serves": "wan2.6-t2v"}, "serves: must be a list of model names"),
        (SHORT | {"loras": {"a": "a.bin"}}, "loras.a: must be a .safetensors file"),
        (SHORT | {"turbo_loras": [{"name": "a"}]}, "turbo_loras[0].name: must be one of loras"),
        (SHORT | {"top_tier": "4K"}, "top_tier: must be 480P"),
        ({"models": []}, "models: must be a list of tables"),
        ({"models": [SHORT], "card": "x"}, "card: not known beside models"),
        ({"models": [SHORT, SHORT | {"long": 1}]}, "models[1].long: must be true or false"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadOptions) as caught:
        read_options(options)
    assert words in str(caught.value)


def test_cards_serve_names_of_the_catalogue_and_none_of_closed_weights() -> None:
    for card in CARDS.values():
        for name in card.serves:
            spec = CATALOGUE.get(name)
            assert spec is not None
            assert spec.name == name
            assert spec.generation <= (2, 2)
            assert spec.modes & card.modes
            assert card.repo in spec.open_weights


@pytest.mark.parametrize(
    ("devices", "sharing"),
    [("cuda:0+cuda:1", "guidance"), (["cuda:0+cuda:1+cuda:2+cuda:3"], "tokens"), ("cpu", "tokens")],
)
def test_devices_may_share_a_clip(devices: object, sharing: str) -> None:
    options = read_options(
        {"card": "wan2.2-ti2v-5b", "path": "/w", "devices": devices, "sharing": sharing}
    )
    assert options.sharing == sharing


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ("cuda:0+cuda:1+cuda:2", "more than two"),
        ("cuda:0+cuda:0", "named twice"),
        (["cuda:0+cuda:1", "cuda:1"], "named twice"),
        ("cuda:0+", "each must be"),
    ],
)
def test_devices_that_cannot_share_are_refused(devices: object, words: str) -> None:
    with pytest.raises(BadOptions, match=words):
        read_options({"card": "wan2.2-ti2v-5b", "path": "/w", "devices": devices})
