"""A plain ReLU perceptron differentiated by hand, on the very memory of its torch module.

    forward    z_1 = W_1[x] + b_1    h_i = relu(norm(z_i))    z_{i+1} = h_i W_{i+1} + b_{i+1}    q = z_last
    backward   dW_{i+1} = h_i^T dz_{i+1}    db_{i+1} = sum dz_{i+1}    dh_i = dz_{i+1} W_{i+1}^T
               dz_i = dh_i where h_i > 0, through the normalisation if there is one

norm is layer normalisation or nothing: y = g * u + k with u = (z - mean z) / sd z, and
    dz = (du - mean du - u * mean(du * u)) / sd z    with du = g * dy    (means over the units of one row).

On a few dozen rows autograd costs more than the arithmetic: a step through here takes about a third of the
time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from .dense import Dense
from .flat import FlatParameters
from .heads import LinearHead
from .layers import Gather

Array = npt.NDArray[np.float32]


@dataclass
class _Norm:
    """Views of a layer normalisation's parameters and gradients."""

    scale: Array
    shift: Array
    d_scale: Array
    d_shift: Array
    epsilon: np.float32


@dataclass
class _Layer:
    """Views of one layer's parameters and gradients; weight as [inputs, outputs]."""

    weight: Array
    bias: Array
    d_weight: Array
    d_bias: Array
    norm: _Norm | None = None


class PlainDense:
    """Forward and backward of a `Dense` of ReLUs, layer normalisation allowed, without dropout or batch norm.

    It keeps views of the parameters and of their gradients, and makes them anew where the module's are others.

    Args:
        parameters: of the network.

    Raises:
        ValueError: the network has something else in it (`suits` tells beforehand); also later on, if it was
            changed.
    """

    def __init__(self, parameters: FlatParameters) -> None:
        self.parameters = parameters
        self._kept: list[tuple[Array, Array | None, Array | None]] = []
        self._inputs: npt.NDArray[Any] | None = None
        self._look()

    def _look(self) -> None:
        """Makes the views."""
        network = self.parameters.module
        if not isinstance(network, Dense) or not self.suits(network):
            raise ValueError(
                "only ReLU layers, with or without layer normalisation, and a linear head are plain"
            )
        self._generation = self.parameters.generation
        self.integers = network.integers
        self.layers: list[_Layer] = []
        for module in [*network.torso, network.head]:
            if isinstance(module, LinearHead):
                module = module.linear
            if isinstance(module, nn.Linear):
                self.layers.append(
                    _Layer(
                        _view(module.weight).T,
                        _view(module.bias),
                        _slope(module.weight).T,
                        _slope(module.bias),
                    )
                )
            elif isinstance(module, Gather):
                self.layers.append(
                    _Layer(
                        _view(module.weight), _view(module.bias), _slope(module.weight), _slope(module.bias)
                    )
                )
            elif isinstance(module, nn.LayerNorm):
                self.layers[-1].norm = _Norm(
                    _view(module.weight),
                    _view(module.bias),
                    _slope(module.weight),
                    _slope(module.bias),
                    np.float32(module.eps),
                )

    @staticmethod
    def suits(network: nn.Module) -> bool:
        """Whether the hand-written passes compute what the module does."""
        if type(network) is not Dense or any(
            m._forward_hooks or m._forward_pre_hooks for m in network.modules()
        ):
            return False
        layers = [*network.torso, network.head.linear if type(network.head) is LinearHead else network.head]
        for i, layer in enumerate(layers):
            before = None if i == 0 else layers[i - 1]
            if type(layer) in (nn.Linear, Gather):
                if type(before) not in (type(None), nn.ReLU) or layer.bias is None:
                    return False
                if (type(layer) is Gather) != (i == 0 and network.integers):
                    return False
            elif type(layer) is nn.LayerNorm:
                if (
                    type(before) not in (nn.Linear, Gather)
                    or layer.bias is None
                    or len(layer.normalized_shape) != 1
                ):
                    return False
            elif type(layer) is not nn.ReLU or type(before) not in (nn.Linear, Gather, nn.LayerNorm):
                return False
        return type(layers[-1]) in (nn.Linear, Gather)

    def __getstate__(self) -> dict[str, Any]:
        return {"parameters": self.parameters}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["parameters"])  # type: ignore[misc]  # all else is made from it

    def forward(self, inputs: npt.NDArray[Any] | None, keep: bool = True) -> Array:
        """[B, A] outputs of [B, num_inputs] floats, of [B] integers, or, for None, of every integer there is.

        With `keep`, what `backward` needs stays until the next call.
        """
        self.parameters.sync()
        if self._generation != self.parameters.generation:
            self._look()
        kept: list[tuple[Array, Array | None, Array | None]] = []
        x: Array | None = None
        for i, layer in enumerate(self.layers):
            if i == 0 and self.integers:
                rows = layer.weight if inputs is None else layer.weight[inputs]
                z = rows + layer.bias
            else:
                z = (_rows(inputs) if x is None else x) @ layer.weight
                z += layer.bias
            if i == len(self.layers) - 1:
                x = z
                break
            u = inverse_sd = None
            if layer.norm is not None:
                u = z - z.mean(axis=1, keepdims=True)
                variance = np.einsum("ij,ij->i", u, u)[:, None] / np.float32(u.shape[1])
                inverse_sd = np.float32(1.0) / np.sqrt(variance + layer.norm.epsilon)
                u *= inverse_sd
                z = u * layer.norm.scale
                z += layer.norm.shift
            x = np.maximum(z, np.float32(0.0))
            kept.append((x, u, inverse_sd))
        if keep:
            self._kept, self._inputs = kept, inputs
        assert x is not None
        return x

    def backward(self, slope: Array) -> None:
        """Writes (does not add) the gradients of a loss whose slope by the last outputs is `slope` [B, A]."""
        self.parameters.link()
        dz = slope
        for i in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[i]
            if i < len(self.layers) - 1:
                h, u, inverse_sd = self._kept[i]
                dz *= h > 0
                norm = layer.norm
                if u is not None and inverse_sd is not None and norm is not None:
                    np.einsum("ij,ij->j", dz, u, out=norm.d_scale)
                    dz.sum(axis=0, out=norm.d_shift)
                    dz *= norm.scale
                    along = np.einsum("ij,ij->i", dz, u)[:, None] / np.float32(u.shape[1])
                    dz -= dz.mean(axis=1, keepdims=True)
                    dz -= u * along
                    dz *= inverse_sd
            dz.sum(axis=0, out=layer.d_bias)
            if i > 0:
                np.matmul(self._kept[i - 1][0].T, dz, out=layer.d_weight)
                dz = dz @ layer.weight.T
            elif not self.integers:
                np.matmul(_rows(self._inputs).T, dz, out=layer.d_weight)
            elif self._inputs is None:
                layer.d_weight[:] = dz
            else:
                layer.d_weight[:] = 0.0
                np.add.at(layer.d_weight, self._inputs, dz)


def _rows(inputs: npt.NDArray[Any] | None) -> Array:
    """[B, num_inputs]; only integers can be left out."""
    assert inputs is not None
    rows: Array = inputs.reshape(len(inputs), -1).astype(np.float32, copy=False)
    return rows


def _view(parameter: Tensor) -> Array:
    array: Array = parameter.detach().numpy()
    return array


def _slope(parameter: Tensor) -> Array:
    assert parameter.grad is not None
    array: Array = parameter.grad.numpy()
    return array
