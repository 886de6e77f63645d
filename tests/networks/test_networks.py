"""Networks: gradients, gates and optimiser against independent arithmetic; no global generator touched."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bellglass.networks import (
    ACTIVATIONS,
    ActivationName,
    Adam,
    Convolutional,
    Dense,
    Dropout,
    DuelingHead,
    Filters,
    FlatParameters,
    Gather,
    PlainDense,
    Recurrent,
    RecurrentValues,
    cross_entropy,
    huber,
    mean_squared_error,
    output_size,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_building_and_running_networks_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    dense = Dense(5, 3, generator=generator(), dropout=0.5, layer_norm=True, dueling=True)
    dense(torch.ones(4, 5))
    RecurrentValues(4, 2, generator=generator(), integers=True)
    copy.deepcopy(dense)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("integers", [False, True])
def test_equal_seeds_make_equal_networks_and_others_do_not(integers: bool) -> None:
    def weights(seed: int) -> torch.Tensor:
        return FlatParameters(Dense(6, 2, generator=generator(seed), integers=integers)).values

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_initial_weights_spread_as_in_torchs_own_linear_layer() -> None:
    layer = Dense(400, 400, generator=generator(), hidden_sizes=()).head
    weight = next(layer.parameters()).detach().numpy()
    assert np.abs(weight).max() <= 1 / 20
    assert weight.std() == pytest.approx(1 / 20 / np.sqrt(3), rel=0.02)


def test_a_gather_is_a_product_with_a_one_hot_vector() -> None:
    layer = Gather(7, 3, generator())
    one_hot = torch.eye(7)
    assert torch.equal(layer(torch.arange(7)), one_hot @ layer.weight + layer.bias)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("relu", -2.0, 0.0),
        ("leaky_relu", -2.0, -0.02),
        ("tanh", 0.5, np.tanh(0.5)),
        ("sigmoid", 0.5, 1 / (1 + np.exp(-0.5))),
        ("gelu", 1.0, 0.8413447460685429),
        ("silu", 1.0, 1 / (1 + np.exp(-1.0))),
        ("mish", 1.0, np.tanh(np.log1p(np.e))),
        ("softplus", 0.0, np.log(2.0)),
        ("elu", -1.0, np.exp(-1.0) - 1.0),
        ("identity", -2.0, -2.0),
    ],
)
def test_activations_by_hand(name: ActivationName, x: float, y: float) -> None:
    assert float(ACTIVATIONS[name]()(torch.tensor(x))) == pytest.approx(y, abs=1e-6)


def test_dropout_keeps_the_mean_in_training_and_everything_in_eval_mode() -> None:
    layer = Dropout(0.25, generator())
    x = torch.ones(40_000)
    dropped = layer(x)
    assert dropped.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)
    layer.eval()
    assert torch.equal(layer(x), x)


def test_a_copied_dropout_draws_the_same_numbers_from_a_generator_of_its_own() -> None:
    layer = Dropout(0.5, generator())
    twin = copy.deepcopy(layer)
    x = torch.ones(100)
    assert torch.equal(layer(x), twin(x))
    layer(x)
    assert not torch.equal(layer(x), twin(x))


def test_batch_norm_uses_the_batch_in_training_and_running_statistics_in_eval_mode() -> None:
    network = Dense(3, 2, generator=generator(), hidden_sizes=(8,), batch_norm=True)
    x = torch.randn(64, 3, generator=generator(1))
    network.train()
    for _ in range(200):
        network(x)
    network.eval()
    once, again = network(x[:1]), network(x)[:1]
    assert torch.allclose(once, again, atol=1e-6)  # in eval mode a row does not depend on its neighbours


def test_dueling_advantages_sum_to_zero() -> None:
    head = DuelingHead(5, 4, generator())
    x = torch.randn(6, 5, generator=generator(1))
    assert torch.allclose(head(x).mean(dim=1, keepdim=True), head.value(x), atol=1e-6)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("hidden_sizes", [(), (7,), (16, 9), (5, 6, 7)])
def test_gradients_by_hand_equal_autograd(
    layer_norm: bool, integers: bool, hidden_sizes: tuple[int, ...]
) -> None:
    network = Dense(
        6, 3, generator=generator(), integers=integers, hidden_sizes=hidden_sizes, layer_norm=layer_norm
    )
    flat = FlatParameters(network)
    flat.values.add_(torch.randn(flat.values.shape, generator=generator(5)) * 0.1)
    plain = PlainDense(flat)
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 6, 20) if integers else rng.normal(size=(20, 6)).astype(np.float32)
    slope = rng.normal(size=(20, 3)).astype(np.float32)
    expected = network(torch.from_numpy(inputs))
    expected.backward(torch.from_numpy(slope))
    gradient = flat.gradient.clone()
    np.testing.assert_allclose(plain.forward(inputs), expected.detach().numpy(), atol=1e-5)
    plain.backward(slope.copy())
    np.testing.assert_allclose(flat.gradient, gradient, atol=2e-5)


def test_one_pass_over_all_integers_equals_the_same_rows_one_by_one() -> None:
    network = Dense(6, 3, generator=generator(), integers=True)
    flat = FlatParameters(network)
    plain = PlainDense(flat)
    slope = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    np.testing.assert_allclose(plain.forward(None), plain.forward(np.arange(6)), atol=1e-6)
    plain.backward(slope.copy())
    gradient = flat.gradient.clone()
    plain.forward(None)
    plain.backward(slope.copy())
    np.testing.assert_allclose(flat.gradient, gradient, atol=1e-6)


def test_a_plain_pass_refuses_what_it_does_not_compute() -> None:
    for network in [
        Dense(3, 2, generator=generator(), activation=nn.Tanh),
        Dense(3, 2, generator=generator(), dropout=0.1),
        Dense(3, 2, generator=generator(), dueling=True),
    ]:
        flat = FlatParameters(network)
        with pytest.raises(ValueError, match="plain"):
            PlainDense(flat)


def test_adam_on_the_flat_vector_equals_torchs_adam() -> None:
    network = Dense(4, 2, generator=generator(), activation=nn.Tanh)
    reference = copy.deepcopy(network)
    flat = FlatParameters(network)
    ours, theirs = Adam(flat), torch.optim.Adam(reference.parameters(), lr=1e-2)
    x = torch.randn(16, 4, generator=generator(1))
    for step in range(30):
        rate = 1e-2 * (1 - step / 30)
        for model in (network, reference):
            model.zero_grad(set_to_none=False)
            torch.autograd.backward(mean_squared_error(model(x), torch.ones(16, 2)))
        theirs.param_groups[0]["lr"] = rate
        ours.step(rate)
        theirs.step()
    expected = torch.cat([p.detach().reshape(-1) for p in reference.parameters()])
    np.testing.assert_allclose(flat.values, expected, atol=1e-6)


def test_clipping_equals_torchs() -> None:
    network = Dense(4, 2, generator=generator())
    flat = FlatParameters(network)
    for norm, shrinks in [(1e3, False), (0.1, True)]:
        flat.gradient.copy_(torch.randn(flat.gradient.shape, generator=generator(2)))
        before = flat.gradient.clone()
        flat.clip_(norm)
        expected = before.clone()
        if shrinks:
            expected *= norm / (float(before.norm()) + 1e-6)
        assert torch.allclose(flat.gradient, expected)


def test_losses_by_hand() -> None:
    predicted, target = torch.tensor([0.5, 3.0]), torch.zeros(2)
    assert float(huber(predicted, target)) == pytest.approx((0.125 + 2.5) / 2)
    assert float(mean_squared_error(predicted, target)) == pytest.approx((0.25 + 9.0) / 2)
    assert float(cross_entropy(torch.zeros(1, 4), torch.tensor([2]))) == pytest.approx(np.log(4.0))


@pytest.mark.parametrize(("kind", "close"), [(torch.float32, 2.5e-7), (torch.float64, 1e-12)])
def test_gates_equal_a_cell_written_by_hand(kind: torch.dtype, close: float) -> None:
    layer = Recurrent(5, 8, generator=generator(), forget_bias=1.0).to(kind)
    x = torch.randn(12, 3, 5, generator=generator(1)).to(kind)
    h, c = (torch.randn(3, 8, generator=generator(seed)).to(kind) for seed in (2, 3))
    memory = (h, c)
    w_x, w_h, b_x, b_h = (p.detach() for p in layer.lstm.all_weights[0])
    with torch.no_grad():
        gates = layer.gates(x, memory)
        outputs, (last_h, last_c) = layer(x, memory)
    for t in range(12):
        i, f, g, o = (x[t] @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, dim=1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        for ours, by_hand in zip((*(gate[t] for gate in gates), outputs[t]), (i, f, g, o, h), strict=True):
            assert float((ours - by_hand).abs().max()) <= close
    assert float((last_h - h).abs().max()) <= close
    assert float((last_c - c).abs().max()) <= 2 * close


def test_the_forget_gate_starts_one_more_open() -> None:
    closed, opened = (Recurrent(2, 4, generator=generator(), forget_bias=bias) for bias in (0.0, 1.0))
    difference = opened.lstm.all_weights[0][2] - closed.lstm.all_weights[0][2]
    np.testing.assert_array_equal(difference.detach().numpy().round(6), np.repeat([0.0, 1.0, 0.0, 0.0], 4))


def test_a_sequence_in_two_pieces_gives_the_values_of_the_whole() -> None:
    network = RecurrentValues(4, 3, generator=generator(), integers=True, hidden_size=8)
    rng = np.random.default_rng(0)
    seen, did = torch.from_numpy(rng.integers(0, 4, (9, 2))), torch.from_numpy(rng.integers(0, 4, (9, 2)))
    whole, _ = network(seen, did)
    first, memory = network(seen[:4], did[:4])
    rest, _ = network(seen[4:], did[4:], memory)
    assert torch.allclose(torch.cat([first, rest]), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dropout": 1.0}, "dropout"),
        ({"hidden_sizes": (4, 0)}, "hidden_sizes"),
        ({"integers": True, "hidden_sizes": (), "dueling": True}, "dueling"),
    ],
)
def test_impossible_networks_are_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Dense(3, 2, generator=generator(), **settings)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_convolution_has_the_sizes_of_the_formula_and_of_torch(channels_last: bool) -> None:
    shape = (84, 84, 3) if channels_last else (3, 84, 84)
    before = torch.get_rng_state()
    network = Convolutional(shape, 5, generator=generator(), channels_last=channels_last)
    assert torch.equal(torch.get_rng_state(), before)
    assert network.sizes == [(3, 84, 84), (32, 20, 20), (64, 9, 9), (64, 7, 7)]
    assert network(torch.zeros(2, *shape, dtype=torch.uint8)).shape == (2, 5)


def test_channels_last_sees_the_same_image() -> None:
    layers = (Filters(4, 3, 1, 1), Filters(2, 2, 2))
    first, last = (
        Convolutional(shape, 3, generator=generator(), layers=layers, hidden_size=8, channels_last=flag)
        for shape, flag in [((2, 6, 8), False), ((6, 8, 2), True)]
    )
    image = torch.rand(5, 2, 6, 8, generator=generator(1)) * 255
    assert torch.equal(first(image), last(image.permute(0, 2, 3, 1)))


def test_filters_that_do_not_fit_are_refused_with_the_sum_written_out() -> None:
    assert output_size(7, Filters(1, size=3, stride=2, padding=1)) == 4
    with pytest.raises(ValueError, match=r"\(10 - 3 \+ 2\*0\) / 2 \+ 1"):
        output_size(10, Filters(1, size=3, stride=2))
    assert output_size(10, Filters(1, size=3, stride=2), cropped=True) == 4
    with pytest.raises(ValueError, match=r"layer 1: .*does not fit"):
        Convolutional((1, 8, 8), 2, generator=generator(), layers=(Filters(4, 8, 1), Filters(4, 3, 1)))
    with pytest.raises(ValueError, match="stride"):
        output_size(8, Filters(1, size=3, stride=0))
