"""The tails and markings that tell four-legged animals apart.

Tails start at a root, in heights of the animal; markings lie on the trunk. Heads are in
`beast_heads`.
"""

from __future__ import annotations

import math

from kinogate.engines.preview.canvas import mix
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.gaits import Posture
from kinogate.engines.preview.subjects.quadruped import Coat, TailArtist
from kinogate.engines.preview.subjects.shapes import Point, Tube, along, tube


def curled_tail(length: float, radius: float, *, tip: bool = False) -> TailArtist:
    """A slender tail held up in a curve, the end swaying; wraps the body at rest."""

    def draw(pen: Figure, coat: Coat, posture: Posture, root: Point) -> None:
        sway = 0.5 * posture.tail + 0.22 * cycle(pen.pose.t, 0.8, 0.2)
        color = coat.fur
        if posture.rest == "sit":
            tip_y = 0.09 + 0.05 * cycle(pen.pose.t, 0.55)
            path = [
                root,
                (root[0] - 0.10, 0.05),
                (root[0] - 0.24, 0.04),
                (root[0] - 0.36, 0.06),
                (root[0] - 0.42, tip_y + 0.06),
            ]
        elif posture.rest:
            color = coat.dark
            path = [
                root,
                (root[0] - 0.06, 0.08),
                (root[0] + 0.08, 0.04),
                (root[0] + 0.26, 0.04),
                (root[0] + 0.38, 0.055 + 0.03 * max(0.0, cycle(pen.pose.t, 0.5))),
            ]
        else:
            angle = -1.75 + posture.tail * 0.6
            path = [root]
            for step, bend in enumerate((0.0, 0.30, 0.50, -0.35)):
                angle -= bend - sway * 0.22 * (step + 1)
                path.append(along(path[-1], angle, length * 0.25))
        radii = [radius * 1.15, radius, radius, radius * 0.92, radius * 0.7]
        made = pen.tube(path, radii, color)
        if tip:
            pen.fill(made.band(-1.0, 1.0, 0.78, 1.0), coat.mark, rimmed=False)
            pen.ellipse(*made.at(1.0), radius * 1.5, radius * 1.5, coat.mark)

    return draw


def wagging_tail(length: float, radius: float) -> TailArtist:
    """A dog's tail: up and wagging."""

    def draw(pen: Figure, coat: Coat, posture: Posture, root: Point) -> None:
        wag = 0.35 * math.sin(math.tau * 2.2 * pen.pose.t)
        lift = -2.2 + 0.4 * posture.tail + wag
        if posture.rest:
            lift = -1.7 + wag * 0.8
        middle = along(root, lift, length * 0.5)
        end = along(middle, lift - 0.45 + wag * 0.6, length * 0.5)
        pen.tube([root, middle, end], [radius, radius * 1.05, radius * 0.45], coat.fur)

    return draw


def bushy_tail(length: float) -> TailArtist:
    """A fox's brush with a white tip."""

    def draw(pen: Figure, coat: Coat, posture: Posture, root: Point) -> None:
        sway = 0.18 * cycle(pen.pose.t, 0.9, 0.1) + 0.3 * posture.tail
        if posture.rest:
            path = [
                root,
                (root[0] - 0.12, 0.12),
                (root[0] + 0.08, 0.09),
                (root[0] + 0.34, 0.10 + 0.05 * sway),
            ]
        else:
            path = [root, along(root, -1.05 + sway * 0.5, length * 0.34)]
            path.append(along(path[-1], -1.35 + sway, length * 0.34))
            path.append(along(path[-1], -1.85 + sway * 1.4, length * 0.36))
        made = pen.tube(path, [0.05, 0.10, 0.115, 0.02], coat.fur, shade=coat.dark, edge=-0.3)
        end = tube([made.at(0.68), made.at(0.85), made.at(1.0)], [0.108, 0.075, 0.02])
        pen.fill(end.outline(), coat.belly)

    return draw


def flowing_tail(length: float) -> TailArtist:
    """A horse's tail of long hair."""

    def draw(pen: Figure, coat: Coat, posture: Posture, root: Point) -> None:
        sway = 0.25 * cycle(pen.pose.t, 0.9, 0.3)
        out = -0.55 - 0.55 * max(0.0, -posture.tail) * 2.0 + 0.2 * sway
        path = [root, along(root, out - 0.5, length * 0.25)]
        path.append(along(path[-1], out + 0.15 + 0.3 * sway, length * 0.4))
        path.append(along(path[-1], out + 0.35 + 0.9 * sway, length * 0.4))
        pen.tube(path, [0.035, 0.06, 0.065, 0.012], coat.mark, shade=pen.dark(coat.mark, 0.3))

    return draw


def stub_tail(radius: float, *, mark: bool = False) -> TailArtist:
    """A scut or a stump that twitches."""

    def draw(pen: Figure, coat: Coat, posture: Posture, root: Point) -> None:
        lift = 0.02 * posture.wag
        color = coat.belly if mark else coat.fur
        pen.ellipse(root[0] + 0.01, root[1] + lift, radius, radius, color)

    return draw


def rope_tail(length: float, *, tuft: bool = True) -> TailArtist:
    """A thin hanging tail with a tuft (cow, elephant, lion, camel)."""

    def draw(pen: Figure, coat: Coat, posture: Posture, root: Point) -> None:
        sway = 0.30 * cycle(pen.pose.t, 0.7, 0.3)
        path = [root, along(root, -0.55 + 0.2 * sway, length * 0.4)]
        path.append(along(path[-1], -0.2 + sway, length * 0.35))
        path.append(along(path[-1], -0.45 + 1.4 * sway, length * 0.3))
        pen.tube(path, [0.026, 0.018, 0.016, 0.014], coat.dark)
        if tuft:
            x, y = path[-1]
            pen.ellipse(x, y - 0.02, 0.028, 0.05, mix(coat.mark, coat.ink, 0.25))

    return draw


def tabby(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """Faint bands over a cat's back, for coats the seed gives them to."""
    if pen.pixels < 40.0 or chance(pen.pose.seed, 65) > 0.75:
        return
    for share in (0.16, 0.30, 0.44, 0.58, 0.72):
        pen.fill(
            [trunk.at(share, 1.0), trunk.at(share + 0.07, 1.0), trunk.at(share + 0.03, 0.25)],
            coat.dark,
            rimmed=False,
        )


def stripes(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """A tiger's stripes, from the back and from the belly."""
    if pen.pixels < 22.0:
        return
    for index in range(8):
        share = 0.06 + index * 0.115
        deep = -0.30 if index % 2 else 0.0
        pen.fill(
            [
                trunk.at(share, 1.0),
                trunk.at(share + 0.06, 1.0),
                trunk.at(share + 0.055, 0.4),
                trunk.at(share + 0.02, deep),
            ],
            coat.ink,
            rimmed=False,
        )
        if index % 2:
            pen.fill(
                [
                    trunk.at(share + 0.06, -0.95),
                    trunk.at(share + 0.11, -0.95),
                    trunk.at(share + 0.07, -0.2),
                ],
                coat.ink,
                rimmed=False,
            )


def patches(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """A cow's large patches."""
    for share, across, rx, ry, turn in (
        (0.16, 0.25, 0.12, 0.10, 0.4),
        (0.55, 0.40, 0.13, 0.085, -0.2),
        (0.86, -0.05, 0.08, 0.12, 0.3),
        (0.42, -0.45, 0.06, 0.05, 0.0),
    ):
        x, y = trunk.at(share, across)
        pen.ellipse(x, y, rx, ry, coat.mark, angle=turn)


def shoulders(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """A panda's black shoulder band."""
    pen.fill(trunk.band(-0.99, 0.99, 0.72, 1.0), coat.mark, rimmed=False)


def wool(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """A sheep's fleece: curls around the trunk."""
    for index in range(11):
        share = index / 10
        for across in (0.82, -0.72):
            x, y = trunk.at(share, across)
            r = 0.115 if across > 0 else 0.095
            color = coat.fur if across > 0 else coat.dark
            pen.ellipse(x, y, r, r, color)
    pen.fill(trunk.band(-0.70, 0.9), coat.fur, rimmed=False)
    if pen.pixels >= 50.0:
        for index in range(5):
            x, y = trunk.at(0.12 + 0.18 * index, 0.25 - 0.3 * (index % 2))
            pen.line([(x - 0.05, y), (x, y - 0.035), (x + 0.05, y)], coat.dark, 0.012)


def spots(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """A deer's pale dapples."""
    if pen.pixels < 60.0:
        return
    for index in range(9):
        x, y = trunk.at(0.1 + 0.09 * index, 0.55 - 0.35 * (index % 2))
        pen.ellipse(x, y, 0.014, 0.012, mix(coat.fur, coat.belly, 0.8))


def humps(pen: Figure, coat: Coat, trunk: Tube) -> None:
    """A camel's two humps and a saddle cloth."""
    sway = 0.008 * cycle(pen.pose.t, 1.1)
    for share in (0.28, 0.74):
        x, y = trunk.at(share, 0.55)
        pen.blob(
            [
                (x - 0.15, y - 0.01),
                (x - 0.07, y + 0.12),
                (x + sway, y + 0.19),
                (x + 0.08, y + 0.11),
                (x + 0.15, y - 0.01),
                (x, y - 0.08),
            ],
            coat.fur,
        )
    x, y = trunk.at(0.52, 0.9)
    low = trunk.at(0.52, -0.35)[1]
    pen.fill(
        [(x - 0.085, y + 0.03), (x + 0.085, y + 0.03), (x + 0.095, low), (x - 0.095, low)],
        coat.mark,
        rimmed=False,
    )
    pen.fill(
        [(x - 0.095, low + 0.02), (x + 0.095, low + 0.02), (x + 0.096, low), (x - 0.096, low)],
        pen.dark(coat.mark, 0.4),
        rimmed=False,
    )
