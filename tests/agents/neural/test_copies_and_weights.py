"""Whatever torch lets one do to a network: the agent then acts, learns and saves by those weights, or says no."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from bellglass.agents import (
    CertaintyEquivalence,
    DoubleQLearning,
    ExpectedSarsa,
    MonteCarlo,
    QLearning,
    Sarsa,
)
from bellglass.agents.neural.dqn import DQN
from bellglass.agents.neural.recurrent_dqn import RecurrentDQN
from bellglass.networks import (
    Adam,
    Convolutional,
    Dense,
    Dropout,
    Filters,
    FlatParameters,
    LinearHead,
    PlainDense,
    RecurrentValues,
)

Agent = DQN | RecurrentDQN


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Corridor(gym.Env[Any, Any]):
    """Five cells in a row; action 1 goes on with chance .9, the last cell pays 1 and ends."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, vectors: bool = False) -> None:
        self.vectors = vectors
        self.action_space = gym.spaces.Discrete(2)
        box = gym.spaces.Box(0.0, 1.0, (5,), np.float32)
        self.observation_space = box if vectors else gym.spaces.Discrete(5)
        self.cell = 0

    def show(self) -> Any:
        """The cell, as a number or one-hot."""
        return np.eye(5, dtype=np.float32)[self.cell] if self.vectors else np.int64(self.cell)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """To the first cell."""
        super().reset(seed=seed)
        self.cell = 0
        return self.show(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """On, or back to the first."""
        self.cell = self.cell + 1 if action == 1 and self.np_random.random() < 0.9 else 0
        return self.show(), float(self.cell == 4), self.cell == 4, False, {}


QUICK: dict[str, Any] = {
    "learning_rate": 2e-3,
    "learning_starts": 20,
    "batch_size": 16,
    "train_freq": 4,
    "target_update_interval": 20,
}


def own(outputs: int = 2, width: int = 12) -> nn.Module:
    return nn.Sequential(nn.Linear(5, width), nn.Tanh(), nn.BatchNorm1d(width), nn.Linear(width, outputs))


def own_agent() -> DQN:
    torch.manual_seed(3)
    with pytest.warns(UserWarning, match="batch norm"):
        return DQN(Corridor(vectors=True), network=own(), **QUICK)


AGENTS: dict[str, Callable[[], Agent]] = {
    "by hand, a table": lambda: DQN(Corridor(), hidden_sizes=(8, 8), layer_norm=True, **QUICK),
    "by hand, rows": lambda: DQN(Corridor(), **{**QUICK, "batch_size": 1}),
    "by hand, vectors": lambda: DQN(Corridor(vectors=True), **QUICK),
    "autograd, a table": lambda: DQN(Corridor(), dueling=True, **QUICK),
    "dropout, a table": lambda: DQN(Corridor(), dropout=0.2, **QUICK),
    "own, vectors": own_agent,
    "recurrent": lambda: RecurrentDQN(Corridor(), window=6, hidden_size=6, **QUICK),
}


#: Those that are asked everything at once; the others, slowly.
DIFFERENT = ("by hand, a table", "own, vectors", "recurrent")


def trained(name: str) -> Agent:
    """An agent in the midst of its life: replay filled, tables made, moments not zero."""
    agent = AGENTS[name]()
    agent.learn(60)
    shown(agent)
    return agent


def everything(agent: Agent) -> npt.NDArray[Any]:
    return np.arange(5) if agent.sizes.integers else np.eye(5, dtype=np.float32)


def shown(agent: Agent) -> npt.NDArray[np.float64]:
    """What it does everywhere."""
    return agent.action_probabilities(everything(agent))


def by_torch(agent: Agent, network: nn.Module) -> npt.NDArray[np.float32]:
    """[5, 2] what the module says by itself, on a copy that is no view of anything."""
    alone = copy.deepcopy(network).eval()
    rows = torch.from_numpy(everything(agent))
    with torch.no_grad():
        if isinstance(alone, RecurrentValues):
            values: torch.Tensor = alone(rows[None], torch.full((1, 5), 2))[0][0]
        else:
            values = alone(rows)
    return values.numpy()


def assert_acts(agent: Agent) -> None:
    """By both of its networks as they are."""
    values = by_torch(agent, agent.network)
    best = np.eye(2)[values.argmax(axis=1)]
    np.testing.assert_array_equal(shown(agent), best)
    actions, _ = agent.predict(everything(agent), deterministic=True)
    np.testing.assert_array_equal(actions, values.argmax(axis=1))
    if isinstance(agent, DQN):
        if agent.sizes.integers:
            np.testing.assert_allclose(agent.q_values, values, rtol=1e-4, atol=1e-5)
        aims = by_torch(agent, agent.target_network)[np.arange(5), values.argmax(axis=1)]
        np.testing.assert_allclose(agent.state_values(everything(agent)), aims, rtol=1e-4, atol=1e-5)


def weights(network: nn.Module) -> npt.NDArray[np.float32]:
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()]).numpy().copy()


def assert_learns(agent: Agent) -> None:
    before, trainable = weights(agent.network), [p.requires_grad for p in agent.network.parameters()]
    kept = [p.detach().clone() for p in agent.network.parameters()]
    updates = agent.num_updates
    agent.learn(24, reset_num_timesteps=False)
    assert agent.num_updates > updates
    assert not np.array_equal(weights(agent.network), before)
    for p, old, learns in zip(agent.network.parameters(), kept, trainable, strict=True):
        assert learns or torch.equal(p, old)
    agent.update_target()
    np.testing.assert_array_equal(weights(agent.target_network), weights(agent.network))
    assert_acts(agent)


def assert_saves(agent: Agent, path: Path) -> None:
    agent.save(path)
    given = {} if agent._settings()["network"] != "own" else {"network": agent.network}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "batch normalisation")
        again = type(agent).load(path, agent.env, **given)
    np.testing.assert_array_equal(weights(again.network), weights(agent.network))
    np.testing.assert_array_equal(shown(again), shown(agent))
    assert [p.requires_grad for p in again.network.parameters()] == [
        p.requires_grad for p in agent.network.parameters()
    ]
    assert_acts(again)


# -- ways to change weights ----------------------------------------------------------------------------------


def noise(p: torch.Tensor, scale: float = 0.7) -> torch.Tensor:
    return torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())) * scale


def other_state(network: nn.Module) -> dict[str, torch.Tensor]:
    learnt = {name for name, _ in network.named_parameters()}
    return {name: t + noise(t) if name in learnt else t * 2 for name, t in network.state_dict().items()}


def loaded(network: nn.Module) -> None:
    network.load_state_dict(other_state(network))


def loaded_by_assignment(network: nn.Module) -> None:
    network.load_state_dict(other_state(network), assign=True)


def from_a_vector(network: nn.Module) -> None:
    vector = nn.utils.parameters_to_vector(network.parameters())
    nn.utils.vector_to_parameters(vector.detach() + noise(vector), network.parameters())


def new_data(network: nn.Module) -> None:
    for p in network.parameters():
        p.data = p.data + noise(p)


def new_data_of_one(network: nn.Module) -> None:
    last = list(network.parameters())[-1]
    last.data = last.data + torch.linspace(-3, 3, last.numel()).reshape(last.shape)


@torch.no_grad()
def copied_into(network: nn.Module) -> None:
    for p in network.parameters():
        p.copy_(noise(p))


@torch.no_grad()
def added(network: nn.Module) -> None:
    for p in network.parameters():
        p.add_(noise(p))


def into_the_data(network: nn.Module) -> None:
    for p in network.parameters():
        p.data.copy_(noise(p))


def through_numpy(network: nn.Module) -> None:
    for p in network.parameters():
        p.detach().numpy()[...] = noise(p).numpy()


def initialised(network: nn.Module) -> None:
    for p in network.parameters():
        nn.init.normal_(p, generator=torch.Generator().manual_seed(p.numel()))


def parameter_replaced(network: nn.Module) -> None:
    for module in network.modules():
        for name, p in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(p.detach() + noise(p)))


def same_memory_in_another_parameter(network: nn.Module) -> None:
    for module in network.modules():
        for name, p in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(p.data))
    added(network)


def by_an_optimiser_of_the_users(network: nn.Module) -> None:
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0, weight_decay=0.5)
    for p in network.parameters():
        p.grad = noise(p)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def gradients_of_none(network: nn.Module) -> None:
    network.zero_grad(set_to_none=True)


def there_and_back(network: nn.Module) -> None:
    network.to(torch.float64).to(torch.float32)
    added(network)


def frozen_at_first(network: nn.Module) -> None:
    next(network.parameters()).requires_grad_(False)


def frozen_but_the_last(network: nn.Module) -> None:
    for p in list(network.parameters())[:-2]:
        p.requires_grad_(False)
    added(network)


def in_train_mode(network: nn.Module) -> None:
    network.train()


CHANGES: list[Callable[[nn.Module], None]] = [
    loaded,
    loaded_by_assignment,
    from_a_vector,
    new_data,
    new_data_of_one,
    copied_into,
    added,
    into_the_data,
    through_numpy,
    initialised,
    parameter_replaced,
    same_memory_in_another_parameter,
    by_an_optimiser_of_the_users,
    gradients_of_none,
    there_and_back,
    frozen_at_first,
    frozen_but_the_last,
    in_train_mode,
]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in DIFFERENT else [pytest.mark.slow]) for name in AGENTS],
)
@pytest.mark.parametrize("change", CHANGES)
def test_weights_changed_from_outside_are_the_agents(
    change: Callable[[nn.Module], None], name: str, tmp_path: Path
) -> None:
    agent = trained(name)
    before = by_torch(agent, agent.network)
    change(agent.network)
    if change not in (gradients_of_none, frozen_at_first, in_train_mode):
        assert np.abs(by_torch(agent, agent.network) - before).max() > 1e-3
    assert_acts(agent)
    assert_saves(agent, tmp_path / "agent")
    assert_learns(agent)
    change(agent.network)  # learning at once, without a look in between
    assert_learns(agent)
    change(agent.network)
    assert_saves(agent, tmp_path / "agent")
    change(agent.target_network)
    assert_acts(agent)


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("way", [copy.deepcopy, lambda agent: pickle.loads(pickle.dumps(agent))])
def test_a_copy_goes_on_as_the_agent_does_bit_for_bit(
    way: Callable[[Any], Any], name: str, tmp_path: Path
) -> None:
    agent = trained(name)
    frozen_at_first(agent.network)
    twin = way(agent)
    assert twin.network is not agent.network
    assert_acts(twin)
    again = way(agent)
    for _ in range(2):
        agent.learn(50, reset_num_timesteps=False)
        twin.learn(50, reset_num_timesteps=False)
        np.testing.assert_array_equal(weights(agent.network), weights(twin.network))
        np.testing.assert_array_equal(weights(agent.target_network), weights(twin.target_network))
        assert torch.equal(agent.optimiser.mean, twin.optimiser.mean)
    assert agent.num_updates == twin.num_updates > again.num_updates
    assert not np.array_equal(weights(again.network), weights(twin.network))  # it shares no memory
    assert_learns(again)
    assert_saves(twin, tmp_path / "agent")
    assert_acts(agent)


@pytest.mark.parametrize("name", AGENTS)
def test_a_shallow_copy_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="deepcopy"):
        copy.copy(AGENTS[name]())


@pytest.mark.parametrize("name", AGENTS)
def test_a_network_of_another_type_is_refused_at_once(name: str, tmp_path: Path) -> None:
    agent = trained(name)
    agent.network.to(torch.float64)
    with pytest.raises(ValueError, match="float32"):
        shown(agent)
    with pytest.raises(ValueError, match="float32"):
        agent.learn(100)
    with pytest.raises(ValueError, match="float32"):
        agent.save(tmp_path / "agent")
    agent.network.float()
    assert_acts(agent)
    assert_learns(agent)


@pytest.mark.parametrize("name", AGENTS)
def test_nothing_to_learn_is_an_error(name: str) -> None:
    agent = trained(name)
    agent.network.requires_grad_(False)
    assert_acts(agent)
    with pytest.raises(ValueError, match="frozen"):
        agent.learn(100)
    agent.network.requires_grad_(True)
    assert_learns(agent)


@pytest.mark.parametrize("name", AGENTS)
def test_frozen_parameters_keep_values_and_moments_until_they_learn_again(name: str) -> None:
    agent = trained(name)
    first = next(agent.network.parameters())
    first.requires_grad_(False)
    moment = agent.optimiser.mean[: first.numel()].clone()
    assert float(moment.abs().max()) > 0
    assert_learns(agent)
    assert torch.equal(agent.optimiser.mean[: first.numel()], moment)
    first.requires_grad_(True)
    before = first.detach().clone()
    assert_learns(agent)
    assert not torch.equal(first, before)


@pytest.mark.parametrize("name", AGENTS)
def test_another_network_may_be_assigned(name: str, tmp_path: Path) -> None:
    agent = trained(name)
    if isinstance(agent, RecurrentDQN):
        net: nn.Module = RecurrentValues(
            5, 2, generator=torch.Generator().manual_seed(5), integers=True, hidden_size=6
        )
        wrong: nn.Module = RecurrentValues(5, 2, generator=torch.Generator(), integers=True, hidden_size=7)
    elif agent.sizes.integers:
        net = nn.Sequential(nn.Embedding(5, 9), nn.Tanh(), nn.Linear(9, 2))
        wrong = nn.Embedding(5, 3)
    else:
        net, wrong = own(width=7), own(outputs=3)
    for attribute in ("network", "target_network"):
        with pytest.raises(ValueError, match="network"):
            setattr(agent, attribute, wrong)
    if isinstance(agent, DQN):
        with pytest.raises(ValueError, match="made like"):
            agent.target_network = net
    else:
        with pytest.raises(TypeError, match="RecurrentValues"):
            agent.network = nn.Linear(5, 2)  # type: ignore[assignment]  # wrong on purpose
    agent.network = net
    assert agent.network is net
    assert_acts(agent)
    assert_learns(agent)
    assert agent.target_network is not net
    assert_saves(agent, tmp_path / "agent")
    agent.network = copy.deepcopy(net)
    assert_saves(agent, tmp_path / "agent")
    assert_acts(pickle.loads(pickle.dumps(agent)))


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("alike", [True, False])
def test_layers_may_be_replaced(name: str, alike: bool, tmp_path: Path) -> None:
    agent = trained(name)
    network: Any = agent.network
    if name.startswith("own"):
        network[3] = nn.Linear(12, 2, bias=alike)
    else:
        width = 8 if "layer_norm" in name or name == "by hand, a table" else 6 if name == "recurrent" else 64
        head = LinearHead(width, 2, torch.Generator().manual_seed(4))
        network.head = head if alike else nn.Sequential(nn.Tanh(), head)
    assert_acts(agent)
    assert_learns(agent)
    if name == "recurrent" and not alike:
        with pytest.raises(ValueError, match="changed"):
            agent.save(tmp_path / "agent")
    else:
        assert_saves(agent, tmp_path / "agent")
    assert_learns(copy.deepcopy(agent))


def test_an_activation_may_be_replaced_and_the_target_network_follows(tmp_path: Path) -> None:
    agent = trained("by hand, a table")
    network: Any = agent.network
    network.torso[2] = nn.Sigmoid()
    assert_acts(agent)
    assert_saves(agent, tmp_path / "agent")
    assert_learns(agent)
    assert isinstance(agent.target_network.torso[2], nn.Sigmoid)  # type: ignore[index]  # a Dense


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("change", [loaded, new_data, through_numpy, parameter_replaced])
def test_a_callback_may_change_the_weights(change: Callable[[nn.Module], None], name: str) -> None:
    acted = []

    def callback(agent: Agent) -> None:
        if agent.num_timesteps == 61:  # between two updates
            change(agent.network)
            change(agent.target_network)
        acted.append(agent.num_timesteps)

    agent = AGENTS[name]()
    agent.train_freq = 7
    agent.learn(62, callback)
    assert len(acted) == 62
    assert_acts(agent)
    assert_learns(agent)

    seen = []

    class Looking(DQN):
        def _acting_values(self, experience: Any) -> npt.NDArray[np.float32]:
            values = super()._acting_values(experience)
            expected = by_torch(self, self.network)[experience.observations]
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)
            seen.append(self.num_timesteps)
            return values

    Looking(Corridor(), **{**QUICK, "train_freq": 7}).learn(100, callback)
    assert 61 in seen


# -- networks alone ------------------------------------------------------------------------------------------


def networks() -> dict[str, tuple[nn.Module, torch.Tensor]]:
    g = torch.Generator().manual_seed(0)
    image = torch.rand(3, 2, 6, 8, generator=g)
    return {
        "dense": (Dense(5, 2, generator=g, layer_norm=True), torch.eye(5)),
        "table": (Dense(5, 2, generator=g, integers=True), torch.arange(5)),
        "dropout": (Dense(5, 2, generator=g, dropout=0.3, batch_norm=True), torch.eye(5)),
        "convolutional": (
            Convolutional((2, 6, 8), 2, generator=g, layers=(Filters(3, 2, 2),), hidden_size=4),
            image,
        ),
    }


@pytest.mark.parametrize("name", networks())
@pytest.mark.parametrize("way", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_network_with_its_vector_and_moments_is_copied_whole(way: Callable[[Any], Any], name: str) -> None:
    network, x = networks()[name]
    flat = FlatParameters(network)
    adam = Adam(flat)
    trio = (network, flat, adam)

    def learn(those: tuple[nn.Module, FlatParameters, Adam]) -> npt.NDArray[np.float32]:
        net, vector, optimiser = those
        for _ in range(3):
            vector.zero_gradient()
            torch.autograd.backward(net(x).square().sum())
            optimiser.step(1e-2)
        return weights(net)

    learn(trio)
    twin = way(trio)
    assert twin[1].module is twin[0]
    assert twin[2].parameters is twin[1]
    begun = weights(network)
    after = learn(twin)
    np.testing.assert_array_equal(weights(network), begun)
    np.testing.assert_array_equal(learn(trio), after)
    np.testing.assert_array_equal(flat.values.numpy(), after)


@pytest.mark.parametrize("change", CHANGES)
def test_vector_moments_and_passes_by_hand_follow_a_network_used_alone(
    change: Callable[[nn.Module], None],
) -> None:
    network, x = networks()["table"]
    flat = FlatParameters(network)
    plain, adam = PlainDense(flat), Adam(flat)
    for _ in range(3):
        change(network)
        np.testing.assert_array_equal(flat.values.numpy(), weights(network))
        np.testing.assert_allclose(plain.forward(None), network(x).detach().numpy(), rtol=1e-4, atol=1e-5)
        before = weights(network)
        plain.backward(np.ones((5, 2), np.float32))
        adam.step(1e-2)
        assert not np.array_equal(weights(network), before)
        np.testing.assert_allclose(plain.forward(None), network(x).detach().numpy(), rtol=1e-4, atol=1e-5)
        flat.zero_gradient()
        torch.autograd.backward(network(x).sum())
        by_autograd = flat.gradient.clone()
        plain.backward(np.ones((5, 2), np.float32))
        flat.settle()
        np.testing.assert_allclose(flat.gradient, by_autograd, rtol=1e-4, atol=1e-5)
    twin = pickle.loads(pickle.dumps(plain))
    np.testing.assert_array_equal(twin.forward(None), plain.forward(None))


def test_gradients_that_lie_elsewhere_are_fetched() -> None:
    network, x = networks()["dense"]
    flat = FlatParameters(network)
    network.zero_grad(set_to_none=True)
    torch.autograd.backward(network(x).sum())
    expected = torch.cat([p.grad.reshape(-1) for p in network.parameters() if p.grad is not None])
    flat.settle()
    assert torch.equal(flat.gradient, expected)


def test_pickled_parameters_are_written_once() -> None:
    agent = DQN(Corridor(), hidden_sizes=(200, 200), buffer_size=10)
    assert len(pickle.dumps(agent)) < 6.5 * 4 * agent.parameters.values.numel()


def test_copied_dropouts_that_share_a_generator_go_on_sharing() -> None:
    g = torch.Generator().manual_seed(0)
    pair: Any = nn.Sequential(Dropout(0.5, g), Dropout(0.5, g))
    for twin in (copy.deepcopy(pair), pickle.loads(pickle.dumps(pair))):
        assert twin[0].generator is twin[1].generator is not g
        assert torch.equal(twin[0].generator.get_state(), g.get_state())


def test_gates_are_those_of_the_copied_weights() -> None:
    network = RecurrentValues(5, 2, generator=torch.Generator().manual_seed(0), integers=True, hidden_size=6)
    FlatParameters(network)
    seen, did = torch.arange(5)[:, None], torch.zeros((5, 1), dtype=torch.int64)
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        flat = FlatParameters(twin)
        for ours, theirs in zip(twin.gates(seen, did), network.gates(seen, did), strict=True):
            assert torch.equal(ours, theirs)
        flat.values.mul_(0.5)
        with torch.no_grad():
            alone = RecurrentValues(5, 2, generator=torch.Generator(), integers=True, hidden_size=6)
            alone.load_state_dict(twin.state_dict())
        for ours, theirs in zip(twin.gates(seen, did), alone.gates(seen, did), strict=True):
            assert torch.equal(ours, theirs)


def test_shared_parameters_stay_shared_and_may_part() -> None:
    network: Any = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    flat = FlatParameters(network)
    assert len(flat.values) == 16 + 4 + 4
    twin: Any = copy.deepcopy(flat).module
    assert twin[0].weight is twin[1].weight
    network[1].weight = nn.Parameter(torch.eye(4))
    assert len(flat.values) == 2 * (16 + 4)


def test_a_square_matrix_may_be_turned_round() -> None:
    agent = DQN(Corridor(), **QUICK)
    square = agent.network.torso[2].weight  # type: ignore[index, union-attr]  # a Dense
    square.data = square.data.T
    assert_acts(agent)
    assert_learns(agent)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda agent: pickle.loads(pickle.dumps(agent))])
@pytest.mark.parametrize(
    "kind", [QLearning, DoubleQLearning, Sarsa, ExpectedSarsa, MonteCarlo, CertaintyEquivalence]
)
def test_tabular_learners_go_on_bit_for_bit(kind: Any, way: Callable[[Any], Any]) -> None:
    agent = kind(gym.make("bellglass/FrozenLake-v0"), seed=1).learn(333)
    twin, again = way(agent), way(agent)
    np.testing.assert_array_equal(agent.q_values, twin.q_values)
    for _ in range(2):
        agent.learn(500, reset_num_timesteps=False)
        twin.learn(500, reset_num_timesteps=False)
        np.testing.assert_array_equal(agent.q_values, twin.q_values)
        assert agent.num_episodes == twin.num_episodes
    assert again.num_timesteps == 333


@pytest.mark.parametrize("way", [copy.deepcopy, lambda agent: pickle.loads(pickle.dumps(agent))])
@pytest.mark.parametrize("many", [False, True])
def test_environments_of_ours_go_along(many: bool, way: Callable[[Any], Any]) -> None:
    name = "bellglass/FrozenLake-v0"
    env: Any = gym.make_vec(name, num_envs=3) if many else gym.make(name)
    agent = DQN(env, hidden_sizes=(8,), **QUICK).learn(100)
    twin = way(agent)
    assert twin.env is not env
    agent.learn(100, reset_num_timesteps=False)
    twin.learn(100, reset_num_timesteps=False)
    np.testing.assert_array_equal(weights(agent.network), weights(twin.network))
    assert agent.num_episodes == twin.num_episodes
