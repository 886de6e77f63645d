"""Every road of `FastQFunction` against the textbook `QFunction`, and a target that is changed in one place."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from bellglass.agents.neural.dqn import DQN
from bellglass.agents.neural.fast_tables import FastQFunction
from bellglass.agents.neural.q_function import QFunction
from bellglass.agents.neural.replay import Minibatch
from bellglass.agents.spaces import Sizes
from bellglass.networks import ACTIVATIONS, LOSSES, Dense

INTEGERS, VECTORS = Sizes(5, (), 3), Sizes(0, (4,), 3)

#: Settings of DQN and what decides the road: integers or vectors, fewer states than 4 minibatches or not.
ROADS: dict[str, tuple[Sizes, dict[str, Any]]] = {
    "by hand, summed": (INTEGERS, {"batch_size": 64}),
    "by hand, summed, layer norm": (INTEGERS, {"batch_size": 64, "layer_norm": True}),
    "by hand, rows of integers": (INTEGERS, {"batch_size": 1}),
    "by hand, vectors": (VECTORS, {"layer_norm": True}),
    "autograd, summed": (INTEGERS, {"batch_size": 64, "dueling": True, "activation": "tanh"}),
    "autograd, rows of integers": (INTEGERS, {"batch_size": 1, "dueling": True}),
    "autograd, vectors": (VECTORS, {"activation": "silu"}),
    "train mode, integers": (INTEGERS, {"dropout": 0.2}),
    "train mode, vectors": (VECTORS, {"batch_norm": True}),
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def make(road: str, kind: type[DQN] = DQN, **settings: Any) -> DQN:
    sizes, those = ROADS[road]
    with pytest.warns(UserWarning, match="batch norm") if "batch_norm" in those else torch.no_grad():
        agent = kind(sizes, **those, **settings)
    agent.masks.note(np.arange(5), np.random.default_rng(2).random((5, 3)) < 0.8) if sizes.integers else None
    agent.target_parameters.values.mul_(0.7)
    return agent


def draw(agent: DQN, size: int = 64, seed: int = 1) -> Minibatch:
    rng = np.random.default_rng(seed)

    def observations() -> npt.NDArray[Any]:
        if agent.sizes.integers:
            return rng.integers(0, 5, size)
        return rng.normal(size=(size, 4)).astype(np.float32)

    return Minibatch(
        observations(),
        rng.integers(0, 3, size),
        rng.normal(size=size).astype(np.float32) * 2,
        observations(),
        rng.random(size) < 0.2,
    )


def textbook(agent: DQN) -> QFunction:
    """The plain implementation on a network like the agent's."""
    return QFunction(copy.deepcopy(agent.network), agent.sizes.num_actions)


@pytest.mark.parametrize("loss", ["huber", "mse"])
@pytest.mark.parametrize("road", ROADS)
def test_every_road_gives_the_values_and_the_gradient_of_the_textbook(road: str, loss: Any) -> None:
    agent = make(road)
    plain, batch = textbook(agent), draw(agent)
    targets = np.random.default_rng(3).normal(size=64).astype(np.float32) * 2
    for seed in range(2):
        batch = draw(agent, seed=seed)
        # Measured: 6e-8 apart where passes are by hand or summed, equal bits elsewhere.
        values = agent._q.values(batch.observation)
        np.testing.assert_allclose(values, plain.values(batch.observation), atol=1e-6)
        agent._q.backward(batch, targets, LOSSES[loss])
        plain.backward(batch, targets, LOSSES[loss])
        np.testing.assert_allclose(agent.parameters.gradient, plain.parameters.gradient, atol=1e-6)
        assert float(plain.parameters.gradient.abs().max()) > 1e-3
    if road.startswith(("train", "autograd, vectors", "autograd, rows")):
        assert torch.equal(agent.parameters.gradient, plain.parameters.gradient)


def test_the_roads_are_the_ones_that_their_names_say() -> None:
    for road in ROADS:
        q = make(road)._q
        assert isinstance(q, FastQFunction)
        assert (q._plain is not None) == road.startswith("by hand"), road
        assert q._summed == ("summed" in road), road
        assert q.modal == road.startswith("train"), road


def test_no_layer_is_skipped_that_an_own_dense_network_has() -> None:
    for extra in ({"dropout": 0.5}, {"batch_norm": True}):
        own = Dense(5, 3, generator=torch.Generator().manual_seed(0), integers=True, **extra)
        q = FastQFunction(own, 3, num_observations=5, batch_size=64)
        assert q.modal
        assert q._plain is None
    for activation in ACTIVATIONS.values():
        own = Dense(5, 3, generator=torch.Generator().manual_seed(0), integers=True, activation=activation)
        assert not FastQFunction(own, 3, num_observations=5, batch_size=64).modal


def log_policy(q_values: npt.NDArray[np.float32], temperature: float) -> npt.NDArray[np.float32]:
    scaled = (q_values - q_values.max(axis=1, keepdims=True)) / np.float32(temperature)
    logits: npt.NDArray[np.float32] = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return logits


class MunchausenDQN(DQN):
    """Vieillard, Pietquin & Geist, Munchausen reinforcement learning, NeurIPS 2020: one method is another.

    target = r + m * t * log pi(a | s) + discount * sum_a' pi(a' | s') * (q_target(s', a') - t * log pi(a' | s'))
    """

    def targets(self, batch: Minibatch) -> npt.NDArray[np.float32]:
        """[B] as above, with m = .9, t = .03 and the logarithm cut at -1 / t."""
        temperature, share = 0.03, 0.9
        here = log_policy(self._q_target.values(batch.observation), temperature)
        bonus = np.clip(temperature * here[np.arange(len(batch.action)), batch.action], -1.0, 0.0)
        q_next = self._q_target.values(batch.next_observation)
        log_next = log_policy(q_next, temperature)
        next_value = (np.exp(log_next) * (q_next - temperature * log_next)).sum(axis=1)
        next_value[batch.terminated] = 0.0
        targets: npt.NDArray[np.float32] = batch.reward + share * bonus + self.discount * next_value
        return targets.astype(np.float32)


@pytest.mark.parametrize("road", ROADS)
def test_another_target_is_one_method_on_every_road(road: str) -> None:
    agent, usual = make(road, MunchausenDQN, double=False), make(road, double=False)
    plain, batch = textbook(agent), draw(agent)
    targets = agent.targets(batch)
    assert np.abs(targets - usual.targets(batch)).max() > 0.01
    plain.backward(batch, targets, LOSSES["huber"])
    usual.update(batch, 1e-3)
    before = agent.parameters.values.clone()
    agent.max_grad_norm = None
    agent.update(batch, 1e-3)
    np.testing.assert_allclose(agent.parameters.gradient, plain.parameters.gradient, atol=1e-6)
    assert not torch.equal(agent.parameters.values, before)
    assert not torch.equal(agent.parameters.values, usual.parameters.values)


def test_a_network_with_the_wrong_number_of_outputs_says_so() -> None:
    for sizes, net in [(VECTORS, nn.Linear(4, 2)), (INTEGERS, nn.Embedding(5, 2))]:
        agent = DQN(sizes, network=net)
        with pytest.raises(ValueError, match="one value an action"):
            agent.action_probabilities(
                np.zeros((1, *sizes.shape), dtype=np.int64 if sizes.integers else None)
            )
