"""What a prompt is understood to ask for."""

import pytest

from kinogate.engines.preview.scene import Camera, Place, Time, Weather, plan_scene
from kinogate.engines.preview.subjects import KINDS

PAIRS = [
    ("a kitten running in the moonlight", "一只小猫在月光下奔跑"),
    ("rainy city at night, zoom in", "下雨的城市夜晚,推进"),
    ("a boat on the sea at sunset", "日落时大海上的船"),
    ("two dogs on the beach", "海滩上的两只狗"),
    ("snow in the forest", "森林里下雪"),
    ("an astronaut on the moon", "宇航员在月球表面"),
    ("a whale underwater", "水下的鲸鱼"),
    ("a red car on the road", "公路上的红色汽车"),
    ("fireworks over the city", "城市上空的烟花"),
    ("horse running on the prairie at dawn", "黎明时马在草原上奔跑"),
    ("a woman walks in the garden in spring", "春天女人在花园里散步"),
    ("an old man by the lake in the fog", "雾中湖边的老人"),
    (
        "hot air balloon over the mountains in the morning, pan left",
        "早晨群山上的热气球,镜头向左移",
    ),
    ("dance", "跳舞"),
    ("aurora over the snowfield", "雪原上的极光"),
    ("a girl with a red umbrella in the rain", "雨中打着红色雨伞的女孩"),
]


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_the_same_sentence_in_both_languages_plans_the_same_scene(english, chinese):
    assert plan_scene(english, "", 5) == plan_scene(chinese, "", 5)


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("a cat at dawn", Time.DAWN),
        ("a cat in the morning", Time.MORNING),
        ("a cat at noon", Time.NOON),
        ("a cat, golden hour", Time.SUNSET),
        ("a cat in the evening", Time.DUSK),
        ("a cat under a full moon", Time.NIGHT),
        ("正午的猫", Time.NOON),
        ("夕阳下的猫", Time.SUNSET),
    ],
)
def test_time_of_day_is_read(words, time):
    assert plan_scene(words, "", 1).time is time


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("in a meadow", Place.HILLS),
        ("in the mountains", Place.MOUNTAINS),
        ("on the ocean", Place.SEA),
        ("on the beach", Place.BEACH),
        ("a city skyline", Place.CITY),
        ("a narrow alley", Place.STREET),
        ("deep in the woods", Place.FOREST),
        ("in the desert", Place.DESERT),
        ("by a river", Place.LAKE),
        ("on a farm", Place.VILLAGE),
        ("in the arctic", Place.SNOWFIELD),
        ("on the seabed", Place.UNDERWATER),
        ("in outer space", Place.SPACE),
        ("on the lunar plain", Place.MOON),
        ("in a garden", Place.GARDEN),
        ("竹林里", Place.PAVILION),
        ("on a highway", Place.ROAD),
        ("in the bedroom", Place.ROOM),
        ("on stage", Place.STAGE),
        ("in a kitchen", Place.CAFE),
    ],
)
def test_place_is_read(words, place):
    assert plan_scene(words, "", 1).place is place


@pytest.mark.parametrize(
    ("words", "weather"),
    [
        ("under a cloudless sky", Weather.CLEAR),
        ("overcast", Weather.CLOUDY),
        ("heavy rain", Weather.RAIN),
        ("a thunderstorm", Weather.STORM),
        ("it is snowing", Weather.SNOW),
        ("in thick fog", Weather.FOG),
        ("a strong breeze", Weather.WIND),
        ("a sandstorm", Weather.SANDSTORM),
    ],
)
def test_weather_is_read(words, weather):
    assert plan_scene(words, "", 1).weather is weather


@pytest.mark.parametrize(
    ("words", "camera"),
    [
        ("pan left", Camera.PAN_LEFT),
        ("the camera pans right", Camera.PAN_RIGHT),
        ("tilt up", Camera.TILT_UP),
        ("镜头向下", Camera.TILT_DOWN),
        ("slow push in", Camera.ZOOM_IN),
        ("zooming out", Camera.ZOOM_OUT),
        ("orbit shot", Camera.ORBIT),
        ("tracking shot", Camera.TRACKING),
        ("固定镜头", Camera.STATIC),
        ("handheld", Camera.HANDHELD),
        ("drone shot", Camera.CRANE),
    ],
)
def test_camera_is_read(words, camera):
    assert plan_scene(f"a lake, {words}", "", 1).camera is camera


@pytest.mark.parametrize(
    ("words", "kind", "count"),
    [
        ("three horses", "horse", 3),
        ("a flock of birds", "birds", 1),
        ("一群羊", "sheep", 5),
        ("two astronauts", "astronaut", 2),
        ("butterflies", "butterfly", 3),
    ],
)
def test_subjects_are_counted(words, kind, count):
    (subject,) = plan_scene(words, "", 1).subjects
    assert (subject.kind, subject.count) == (kind, count)


def test_a_colour_belongs_to_the_word_after_it():
    subjects = plan_scene("a blue bird and a red car", "", 1).subjects
    assert {subject.kind: subject.color for subject in subjects} == {"bird": "blue", "car": "red"}


def test_someone_with_an_umbrella_is_one_figure():
    (subject,) = plan_scene("a girl with a yellow umbrella", "", 1).subjects
    assert (subject.kind, subject.color) == ("umbrella_person", "yellow")


@pytest.mark.parametrize("prompt", ["rain in the city", "a city street", "雨中的城市"])
def test_negative_words_remove_what_the_prompt_or_the_seed_would_bring(prompt):
    plans = [plan_scene(prompt, "rain, storm, night", seed) for seed in range(20)]
    assert all(plan.weather not in (Weather.RAIN, Weather.STORM) for plan in plans)
    assert all(plan.time is not Time.NIGHT for plan in plans)


def test_negative_people_removes_every_kind_of_person():
    plan = plan_scene("a woman and a dog on the beach", "people", 1)
    assert [subject.kind for subject in plan.subjects] == ["dog"]


def test_a_negated_word_in_the_prompt_is_not_drawn():
    assert plan_scene("a city without rain", "", 1).weather is not Weather.RAIN
    assert plan_scene("没有雨的城市", "", 1).weather is not Weather.RAIN


def test_longer_words_win_over_the_words_inside_them():
    plan = plan_scene("a hot air balloon in the moonlight", "", 1)
    assert [subject.kind for subject in plan.subjects] == ["balloon"]
    assert plan.time is Time.NIGHT
    assert plan.place is not Place.MOON


def test_a_subject_brings_a_fitting_place():
    assert {plan_scene("a fish", "", seed).place for seed in range(9)} == {Place.UNDERWATER}
    assert plan_scene("a sailboat", "", 1).place in (Place.SEA, Place.LAKE)
    assert plan_scene("跳舞", "", 1).place is Place.STAGE


def test_nobody_walks_on_the_open_sea():
    assert plan_scene("a woman walks by the sea", "", 1).place is Place.BEACH
    crew = plan_scene("a man in a boat on the sea", "", 1)
    assert (crew.place, [subject.kind for subject in crew.subjects]) == (Place.SEA, ["boat"])


def test_a_second_place_becomes_the_backdrop():
    plan = plan_scene("a road through the mountains", "", 1)
    assert (plan.place, plan.backdrop) == (Place.ROAD, Place.MOUNTAINS)


def test_every_planned_kind_can_be_drawn():
    prompts = [f"a {kind.replace('_', ' ')}" for kind in KINDS] + [str(place) for place in Place]
    plans = [plan_scene(prompt, "", seed) for prompt in prompts for seed in range(3)]
    assert {subject.kind for plan in plans for subject in plan.subjects} <= set(KINDS)


@pytest.mark.parametrize("prompt", ["", "   ", "qwertz", "😀" * 400, "\x00", "no no no 没有"])
def test_any_text_gives_a_scene(prompt):
    assert plan_scene(prompt, prompt, 0) == plan_scene(prompt, prompt, 0)


def test_the_seed_decides_what_the_prompt_leaves_open():
    assert len({plan_scene("something nice", "", seed) for seed in range(12)}) > 6


def test_the_hour_does_not_move_the_layout():
    day, night = plan_scene("a cat, noon", "", 3), plan_scene("a cat, night", "", 3)
    assert (day.place, day.season, day.camera) == (night.place, night.season, night.camera)


EVERY_TIME = "dawn, sunrise, morning, noon, day, afternoon, sunset, evening, dusk, night, midnight"
EVERY_PLACE = (
    "hills, meadow, grassland, countryside, mountains, beach, sea, ocean, lake, river, forest, "
    "woods, city, town, street, garden, village, farm, field, road, desert, snow field"
)


@pytest.mark.parametrize("negative", [EVERY_TIME, EVERY_PLACE, f"{EVERY_TIME}, {EVERY_PLACE}"])
@pytest.mark.parametrize("prompt", ["", "a cat", "fireworks", "a ship"])
def test_a_negative_prompt_that_bans_everything_still_leaves_a_scene(prompt, negative):
    assert plan_scene(prompt, negative, 1) == plan_scene(prompt, negative, 1)
