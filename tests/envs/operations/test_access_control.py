"""AccessControl: who frees, who pays, and how states are numbered."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import scipy.stats

import bellglass
from bellglass.envs.operations.access_control import access_control, freeing
from bellglass.envs.rendering.cells import AGENT

ENV_ID = "bellglass/AccessControl-v0"


def test_busy_servers_free_independently() -> None:
    chances = freeing(6, 0.3)
    for free in range(7):
        assert chances[free, free:] == pytest.approx(scipy.stats.binom(6 - free, 0.3).pmf(range(7 - free)))
        assert not chances[free, :free].any()


def test_two_servers_by_hand() -> None:
    mdp = access_control(2, p=0.25)
    assert [mdp.decode(s) for s in (0, 3, 4, 11)] == [(0, 1), (0, 8), (1, 1), (2, 8)]
    assert mdp.initial.tolist() == [0.0] * 8 + [0.25] * 4

    def free_after(label: tuple[int, int], action: int) -> Any:
        row = mdp.transition_matrix.toarray()[2 * mdp.encode(label) + action].reshape(3, 4)
        assert (row == row[:, :1]).all()  # the next priority is drawn anew
        return pytest.approx(row.sum(axis=1))

    assert free_after((0, 8), 0) == [1 / 16 * 9, 6 / 16, 1 / 16]
    assert free_after((0, 8), 1) == [1 / 16 * 9, 6 / 16, 1 / 16]  # with none free, accepting is rejecting
    assert free_after((1, 2), 1) == [1 / 16 * 9, 6 / 16, 1 / 16]  # the one just occupied may free as well
    assert free_after((2, 4), 1) == [0, 3 / 4, 1 / 4]
    assert free_after((2, 4), 0) == [0, 0, 1]
    rewards = mdp.expected_reward.reshape(3, 4, 2)
    assert not rewards[:, :, 0].any()
    assert rewards[:, :, 1] == pytest.approx(np.array([[0, 0, 0, 0], [1, 2, 4, 8], [1, 2, 4, 8]]))
    assert mdp.action_mask.all()


def test_servers_that_never_or_always_free() -> None:
    never = bellglass.solve(gym.make(ENV_ID, servers=2, p=0.0), criterion="average")
    always = bellglass.solve(gym.make(ENV_ID, servers=2, p=1.0), criterion="average")
    assert never.start_value == pytest.approx(0.0, abs=1e-8)
    assert always.start_value == pytest.approx((1 + 2 + 4 + 8) / 4, abs=1e-8)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"servers": 0}, ValueError, "servers must be at least 1, got 0"),
        ({"servers": "ten"}, TypeError, "servers must be a whole number at least 1, got 'ten'"),
        ({"p": -0.1}, ValueError, r"p must be in \[0, 1\], got -0.1"),
        ({"servers": 10**6}, ValueError, "would take .* GiB"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)


@pytest.mark.parametrize("servers", [1, 10, 33, 200])
def test_the_picture_shows_who_is_busy(servers: int) -> None:
    env: Any = gym.make(ENV_ID, servers=servers).unwrapped
    one_free, all_free = env.encode((1, 4)), env.encode((servers, 4))
    bar = "#" * (servers - 1) + "."
    assert env.artist.text(one_free) == f"servers [{bar}] 1 free, customer of priority 4"
    for s, busy in ((one_free, servers - 1), (all_free, 0)):
        image = env.artist.picture(s)
        assert image.shape[0] % 2 == image.shape[1] % 2 == 0
        assert bool((image == AGENT).all(axis=-1).any()) == (busy > 0)
