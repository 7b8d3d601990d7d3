"""From words to a camera move, in English and Chinese.

Pure text in, plain numbers out; what a move looks like on a picture is `motion.py`'s business.
The vocabulary is the one of Wan's own prompt guides: push, pull, pan, tilt, orbit, handheld,
固定镜头, 推近, 拉远, 左移, 环绕. The amounts are our choice, picked by eye.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How far the camera gets, at full progress. All zero is a camera that stands still.

    Attributes:
        pan: How far the content goes to the right, in frame heights.
        rise: How far the content goes down, in frame heights.
        zoom: Natural logarithm of the magnification; positive goes in.
        orbit: How far near things go to the right of far ones, in frame heights.
        roll: Clockwise turn of the content, in radians.
        shake: Strength of a hand-held camera, 1.0 a steady hand.
        sway: Strength of wind on what is in the picture, 0.0–1.0.
        ripple: Strength of waves in the lower half, 0.0–1.0.
    """

    pan: float = 0.0
    rise: float = 0.0
    zoom: float = 0.0
    orbit: float = 0.0
    roll: float = 0.0
    shake: float = 0.0
    sway: float = 0.0
    ripple: float = 0.0

    def __add__(self, other: Move) -> Move:
        """Both moves at once."""
        return Move(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Move)}
        )

    @property
    def is_still(self) -> bool:
        """Whether the camera itself goes nowhere."""
        return not (self.pan or self.rise or self.zoom or self.orbit or self.roll)


_CAMERA = r"(?:镜头|画面|摄像机|相机|摄影机)"
_TRAVEL = r"(?:pan|truck|slid(?:e|ing)|track|dolly|mov|swip|sweep|glid|drift|turn|crab)\w*"
_AMONG = r"(?:[\s\-]+\w+){0,3}?[\s\-]+"


def _sideways(word: str, sign: str) -> tuple[str, ...]:
    return (
        rf"\b{_TRAVEL}{_AMONG}{word}(?:wards?)?\b",
        rf"\b{word}(?:wards?)?[\s\-]+{_TRAVEL}",
        rf"{_CAMERA}[^,。，;；.]{{0,6}}[向往朝]{sign}",
        rf"[向往朝]{sign}侧?[平横]?[移摇推甩跟]",
        rf"{sign}[移摇]|[平横摇]移?[向到]{sign}",
    )


_SOON = r"(?:[\s\-]+\w+){0,2}?[\s\-]+"


def _rule(move: Move, *phrases: str) -> tuple[re.Pattern[str], Move]:
    return re.compile("|".join(phrases), re.IGNORECASE), move


_RULES = (
    _rule(Move(pan=0.16, zoom=0.09), *_sideways("left", "左")),
    _rule(Move(pan=-0.16, zoom=0.09), *_sideways("right", "右")),
    _rule(
        Move(rise=0.13, zoom=0.10),
        rf"\b(?:tilt|pan|crane|rise|rising|lift|boom|ascend|pedestal)\w*{_SOON}up",
        r"\bcamera (?:slowly |gently )?(?:rises|ascends|lifts)",
        rf"{_CAMERA}[^,。，;；.]{{0,6}}[向往朝]上",
        rf"{_CAMERA}.{{0,4}}(?:升|抬)",
        r"上[移摇]|仰拍|升镜",
    ),
    _rule(
        Move(rise=-0.13, zoom=0.10),
        rf"\b(?:tilt|pan|crane|lower|boom|descend|pedestal)\w*{_SOON}down",
        r"\bcamera (?:slowly |gently )?(?:lowers|descends|sinks)",
        rf"{_CAMERA}[^,。，;；.]{{0,6}}[向往朝]下",
        rf"{_CAMERA}.{{0,4}}降",
        r"下[移摇]|降镜",
    ),
    _rule(
        Move(zoom=-0.21),
        r"\bzoom\w*[\s\-]+out",
        r"\bpull\w*[\s\-]+(?:back|out|away)",
        r"\bdolly\w*[\s\-]+(?:out|back)",
        r"\bmov\w*[\s\-]+(?:away|back(?:wards?)?)\b",
        r"\bwiden\w*\b|\breveal\w*[\s\-]+shot",
        r"拉远|拉开|后拉|后退|推远|缩小|拉镜|远离",
    ),
    _rule(
        Move(zoom=0.26),
        r"\bzoom\w*(?:[\s\-]+\w+)?[\s\-]+in\b",
        r"\bpush\w*[\s\-]+(?:in\b|closer|forwards?|towards?)",
        r"\bdolly\w*[\s\-]+(?:in\b|forwards?|shot)",
        r"\bmov\w*[\s\-]+(?:closer|in\b|forwards?|towards?)",
        r"\bclos(?:es|ing)[\s\-]+in",
        r"推近|推进|拉近|放大|推镜|前推|推向|靠近|前进|变焦",
    ),
    _rule(
        Move(orbit=0.07, pan=0.02, zoom=0.06),
        r"\borbit\w*",
        r"\barc\w*[\s\-]+(?:shot|around|left|right)",
        r"\b(?:circl|rotate|rotating|revolv|mov)\w*[\s\-]+around",
        r"\b360\b|环绕|绕[着拍]|围绕|旋转镜头|镜头.{0,4}旋转|弧形",
    ),
    _rule(
        Move(roll=0.05),
        r"\broll\w*[\s\-]+(?:shot|camera)|\bcamera[\s\-]+rolls?|滚转|荷兰角",
    ),
    _rule(
        Move(shake=2.6, zoom=0.06),
        r"\bhand[\s\-]?held\b|\bshak(?:y|es|ing)\b|手持|晃动|抖动",
    ),
    _rule(
        Move(sway=1.0),
        r"\bwind\b|\bbreez\w*|\bsway\w*|\bflutter\w*|微风|[大吹随]风|摇曳|飘动",
    ),
    _rule(
        Move(ripple=1.0),
        r"\bwaves?\b(?![\s\-]+(?:her|his|a|the|goodbye|hand|hello|at|to)\b)",
        r"\brippl\w*|\bocean\b|\bsea\b|\blake\b|\briver\b|\bwater\b",
        r"波浪|海浪|水面|湖|海面|河|涟漪|波光",
    ),
)
_CAMERA_RULES = 9

_STILL = re.compile(
    r"\b(?:static|fixed|still|locked[\s\-]?(?:off|down)?|stationary|motionless)[\s\-]+"
    r"(?:camera|shot|frame|view)|\bno camera (?:move|motion)|\btripod\b"
    r"|固定镜头|镜头固定|静止镜头|镜头静止|镜头不动|固定机位|机位固定|定镜",
    re.IGNORECASE,
)
_MOTION = re.compile(
    r"camera (?:move|motion|shake)|镜头(?:移动|运动|晃动)|运镜|抖动", re.IGNORECASE
)
_THEN = re.compile(
    r"\b(?:and )?then\b|\bafter(?:wards| that)\b|\bfollowed by\b|\bfinally\b|然后|接着|随后|之后|最后|再",
    re.IGNORECASE,
)
_FAST = re.compile(r"\b(?:fast|quick|rapid|swift|dramatic)\w*\b|快速|迅速|急速|猛", re.IGNORECASE)
_SLOW = re.compile(
    r"\b(?:slow|gentle|gently|subtle|slight)\w*\b|缓缓|缓慢|慢慢|轻轻|微微",
    re.IGNORECASE,
)


def parse_moves(prompt: str, negative_prompt: str, rng: random.Random) -> tuple[Move, ...]:
    """Read the camera moves of a prompt, in the order in which "then" puts them.

    Args:
        prompt: Any text; words that are not about motion are passed over.
        negative_prompt: Moves named here are left out of the result.
        rng: Chooses a move when the prompt names none.

    Returns:
        One to three moves, to be done one after the other.
    """
    forbidden = {i for i, (pattern, _) in enumerate(_RULES) if pattern.search(negative_prompt)}
    still = bool(_STILL.search(prompt) or _MOTION.search(negative_prompt))
    found: list[Move] = []
    for part in _THEN.split(prompt)[:3]:
        move = Move()
        for i, (pattern, amount) in enumerate(_RULES):
            if i not in forbidden and not (still and i < _CAMERA_RULES) and pattern.search(part):
                move = move + amount
        if not move.is_still or move.shake or not found:
            found.append(_paced(move, part))
        else:
            found[-1] = found[-1] + move
    if still or any(not move.is_still for move in found):
        return tuple(found)
    return (found[0] + _unasked(rng, forbidden), *found[1:])


def _paced(move: Move, text: str) -> Move:
    pace = 1.3 if _FAST.search(text) else 0.8 if _SLOW.search(text) else 1.0
    return Move(
        pan=move.pan * pace,
        rise=move.rise * pace,
        # A pull-back may not outrun the ground that was invented around the picture.
        zoom=max(-0.24, min(0.42, move.zoom * pace)),
        orbit=min(0.09, move.orbit * pace),
        roll=move.roll * pace,
        shake=move.shake,
        sway=move.sway,
        ripple=move.ripple,
    )


def _unasked(rng: random.Random, forbidden: set[int]) -> Move:
    """What a camera operator does with a picture and no instructions: drift in, a little around."""
    side = rng.choice((-1.0, 1.0))
    zoom = 0.0 if 5 in forbidden else rng.uniform(0.12, 0.17)
    return Move(
        zoom=zoom,
        orbit=side * rng.uniform(0.035, 0.05),
        pan=side * rng.uniform(0.0, 0.02),
    )
