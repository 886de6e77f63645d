"""Pictures as observations, for convolutional networks.

A state's picture, as `render_mode="rgb_array"` gives it, is made no larger than `size` (a pixel is the mean of what it
covers) and laid in the middle of a plain ground.  Each picture is drawn when its state is first seen, and kept.
Two states that look alike at that size are told apart by the table, but not by the agent.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ..keywords import whole
from ..mdp import BoolArray
from ..mdp.memory_limit import require_memory
from ..rendering.cells import Artist, RGBArray
from ..rendering.shapes import canvas, shrunk
from .observations import EncodedObservation, EncodedVectorObservation, table_of_shown_states

#: Height and width in pixels: what the usual networks for Atari take.
SIZE = (84, 84)


class Images:
    """Encodes states by their pictures.

    Args:
        artist: who draws them.
        num_states: S.
        size: height and width of the images, each at least 8.
    """

    def __init__(self, artist: Artist, num_states: int, size: tuple[int, int]) -> None:
        if not isinstance(size, tuple | list) or len(size) != 2:
            raise TypeError(f"size must be (height, width) in pixels, got {size!r}")
        height, width = whole("height", size[0], 8), whole("width", size[1], 8)
        require_memory(
            num_states * height * width * 3, f"{num_states} images", {"height": height, "width": width}
        )
        self._artist = artist
        self._images: RGBArray = np.empty((num_states, height, width, 3), dtype=np.uint8)
        self._drawn: BoolArray = np.zeros(num_states, dtype=np.bool_)
        self.space = gym.spaces.Box(0, 255, (height, width, 3), dtype=np.uint8)

    def __call__(self, observation: npt.ArrayLike) -> RGBArray:
        """[..., height, width, 3]."""
        states = np.asarray(observation)
        for s in np.unique(states).tolist():
            if not self._drawn[s]:
                self._images[s] = self._picture(s)
                self._drawn[s] = True
        return np.array(self._images[states])

    def _picture(self, state: int) -> RGBArray:
        height, width = self._images.shape[1:3]
        small = shrunk(self._artist.picture(state), height, width)
        image = canvas(height, width)
        top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
        image[top : top + small.shape[0], left : left + small.shape[1]] = small
        return image


class ImageObservation(EncodedObservation, gym.utils.RecordConstructorArgs):
    """The state's picture [height, width, 3] uint8 in place of its index, for networks that look.

    Args:
        env: an environment of ours that shows its state.
        size: height and width of the image, each at least 8.

    Raises:
        TypeError: the environment is none of ours, or does not show its state.

    >>> env = ImageObservation(gym.make("bellglass/FrozenLake-v0"), size=(64, 64))
    >>> env.reset(seed=0)[0].shape, env.observe([3, 4]).shape
    ((64, 64, 3), (2, 64, 64, 3))
    """

    def __init__(self, env: gym.Env[Any, Any], size: tuple[int, int] = SIZE) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, size=size)
        mdp = table_of_shown_states("images need", env, env.observation_space)
        if not env.has_wrapper_attr("artist"):
            raise TypeError(f"images need an environment of ours, which can be drawn, got {env}")
        super().__init__(env, Images(env.get_wrapper_attr("artist"), mdp.num_states, size))


class VectorImageObservation(EncodedVectorObservation):
    """ImageObservation for vector environments: [n, height, width, 3] uint8."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], size: tuple[int, int] = SIZE) -> None:
        mdp = table_of_shown_states("images need", env, env.single_observation_space)
        base: Any = env.unwrapped
        super().__init__(env, Images(base.artist, mdp.num_states, size))
