"""What the words of a prompt add up to, before anything is chosen for what they leave open.

Pure data, standard library only. Words come from `lexicon.py`; choosing is `scene.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kinogate.engines.preview.lexicon import Finding, Tag
from kinogate.engines.preview.spec import Place, SubjectSpec

_MAX_SUBJECTS = 3
PEOPLE = frozenset(
    {
        "person",
        "woman",
        "man",
        "child",
        "girl",
        "boy",
        "old_man",
        "dancer",
        "runner",
        "couple",
    }
)


@dataclass(slots=True)
class Found:
    """What the words of one text add up to."""

    time: str | None
    places: list[Place]
    weathers: list[str]
    season: str | None
    subjects: list[SubjectSpec]
    actions: list[str]
    camera: str | None
    extras: set[str]

    def topic(self) -> str:
        """What the scene is about, as one stable line."""
        kinds = (spec.kind for spec in self.subjects)
        return "|".join((*self.places, "/", *kinds, "/", *self.actions, "/", *sorted(self.extras)))


def read_findings(findings: list[Finding], prompt: str, banned: set[Tag]) -> Found:
    """Add the findings of a prompt up, leaving out what is banned."""
    values: dict[str, list[str]] = {}
    for finding in findings:
        for slot, value in finding.tags:
            if (slot, value) not in banned:
                values.setdefault(slot, []).append(value)
    actions = values.get("action", [])
    return Found(
        time=_strongest(values.get("time", [])),
        places=[Place(value) for value in dict.fromkeys(values.get("place", []))],
        weathers=list(dict.fromkeys(values.get("weather", []))),
        season=next(iter(values.get("season", [])), None),
        subjects=_subjects(findings, prompt, banned, actions),
        actions=actions,
        camera=next(iter(values.get("camera", [])), None),
        extras=set(values.get("extra", [])),
    )


def _strongest(times: list[str]) -> str | None:
    """Of several times the most telling: a "sunny sunset" is a sunset, a "starry dawn" a dawn."""
    order = ("sunset", "dawn", "dusk", "night", "morning", "noon")
    return next((time for time in order if time in times), None)


def _subjects(
    findings: list[Finding],
    prompt: str,
    banned: set[tuple[str, str]],
    actions: list[str],
) -> list[SubjectSpec]:
    specs: dict[str, SubjectSpec] = {}
    count, color, last_end = 0, None, 0
    umbrella: str | None = None
    has_umbrella = False
    pool = list(dict.fromkeys(actions))
    for finding in findings:
        gap = finding.start - last_end
        for slot, value in sorted(finding.tags, key=_describes_first):
            if slot == "number":
                count = int(value)
            elif slot == "color":
                color = value
            elif slot == "subject" and (slot, value) not in banned:
                near = gap <= 24
                hue = color if near and color is not None else None
                if value == "umbrella":
                    has_umbrella, umbrella = True, hue
                else:
                    number = count if near and count else 0
                    if number < 2:
                        number = 3 if finding.is_plural else 1
                    specs.setdefault(value, SubjectSpec(kind=value, count=number, color=hue))
        if any(slot in ("subject", "place", "time") for slot, _ in finding.tags):
            count, color = 0, None
        last_end = finding.end
    ordered = _only_leads(specs)
    if has_umbrella:
        ordered = _with_umbrella(ordered, umbrella)
    return [act(spec, pool) for spec in ordered[:_MAX_SUBJECTS]]


def _describes_first(tag: Tag) -> bool:
    return tag[0] == "subject"


def _only_leads(specs: dict[str, SubjectSpec]) -> list[SubjectSpec]:
    """Drop what another word already says: a kitten is a cat, "flowers" beside a cat are décor."""
    if "birds" in specs:
        specs.pop("bird", None)
    if "couple" in specs:
        specs["couple"] = replace(specs["couple"], count=1)
    for small, large in (("kitten", "cat"), ("puppy", "dog")):
        if small in specs:
            specs.pop(large, None)
    if len(specs) > 1:
        for decor in ("flower", "tree"):
            if len(specs) > 1:
                specs.pop(decor, None)
    if len(specs) > 1 and any(kind in PEOPLE - {"person"} for kind in specs):
        specs.pop("person", None)
    if "bird" in specs and specs["bird"].count >= 3:
        specs = {
            ("birds" if kind == "bird" else kind): (
                SubjectSpec(kind="birds", color=spec.color) if kind == "bird" else spec
            )
            for kind, spec in specs.items()
        }
    return list(specs.values())


def _with_umbrella(specs: list[SubjectSpec], color: str | None) -> list[SubjectSpec]:
    holder = SubjectSpec(kind="umbrella_person", color=color, action="walk")
    rest = [spec for spec in specs if spec.kind not in PEOPLE]
    return [holder, *rest]


def act(spec: SubjectSpec, pool: list[str]) -> SubjectSpec:
    """The subject doing the first action of `pool` that its kind can do."""
    action = spec.action or _fitting_action(spec.kind, pool)
    return SubjectSpec(kind=spec.kind, count=min(7, spec.count), action=action, color=spec.color)


def _fitting_action(kind: str, pool: list[str]) -> str:
    """The first action of the prompt that this kind can do, or none."""
    if kind in ("boat", "ship"):
        wanted = {"sail"}
    elif kind in ("car", "bus", "train", "bicycle"):
        wanted = {"drive", "run"}
    elif kind in (
        "bird",
        "birds",
        "butterfly",
        "airplane",
        "balloon",
        "kite",
        "lantern",
    ):
        wanted = {"fly", "stand", "sit"} if kind == "bird" else {"fly"}
    elif kind == "rocket":
        wanted = {"launch", "fly"}
    elif kind in ("fish", "whale", "dolphin", "duck"):
        wanted = {"swim", "jump"}
    elif kind in ("tree", "flower"):
        wanted = set()
    else:
        wanted = {"run", "walk", "dance", "sit", "jump", "stand", "swim", "fly"}
        wanted -= set() if kind in ("dragon", "astronaut") else {"fly"}
    return next((action for action in pool if action in wanted), "")
