"""Looks at a clip that is still noise: one frame of what the sampler takes it to become.

Imports torch; child processes only. Nothing of a look reaches the clip: it draws no noise and leaves
the sampler and the autoencoder's memory as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kinogate.engines.diffusers.cards import Kind
from kinogate.engines.diffusers.decode import Frames, stream
from kinogate.engines.diffusers.resolve import RunSpec
from kinogate.engines.diffusers.rungs import Rung

Show = Callable[[Frames], None]


def is_worth_a_look(spec: RunSpec, rung: Rung) -> bool:
    """Whether a run is looked at.

    Step-distilled weights are done before a look would pay. Where weights lie in host memory, the
    autoencoder's coming would send the transformer out in the middle of its work.
    """
    return not spec.is_distilled and not rung.is_offloaded


class Looks:
    """Shows one frame at a third of the steps, and one at two thirds."""

    def __init__(self, pipe: Any, spec: RunSpec, show: Show, *, references: int) -> None:
        """Prepare.

        Args:
            pipe: The pipeline of the run, with the run's own sampler when `at` is called.
            spec: The run's numbers.
            show: Called with a block of one frame, `[1, H, W, 3]` uint8 RGB.
            references: How many latent frames in front are no part of the clip.
        """
        self._pipe = pipe
        self._show = show
        # A given first frame is what its caller knows already, and TI2V-5B does not even work on
        # it; the middle of the clip is where something new can be seen.
        frames = (spec.frames - 1) // 4 + 1
        self._index = references + (frames // 2 if spec.kind is Kind.I2V else 0)

    def at(self, done: int, steps: int) -> None:
        """Step number `done` of `steps`, counted from 1, has been taken.

        Raises:
            BaseException: Whatever the decoding or `show` raises.
        """
        # The last step is no time for a look: the clip itself follows.
        if done < steps and done in {-(-steps // 3), -(-2 * steps // 3)}:
            clean = self._guess()[:, :, self._index : self._index + 1]
            for piece in stream(self._pipe.vae, clean):
                self._show(piece.cpu().numpy())

    def _guess(self) -> Any:
        """The clean latents as the sampler sees them; the latents themselves are noise for long."""
        return self._pipe.scheduler.model_outputs[-1]
