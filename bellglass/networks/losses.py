"""Losses, as means over all entries, and what their derivatives by a prediction are before the mean.

    huber               |e| <= width:  e^2 / 2,  else  width * (|e| - width / 2)      slope  e within the width
    mean_squared_error  e^2                                                           slope  2 e
    cross_entropy       - log softmax(logits)[label]

with e = predicted - target.  Huber, Robust estimation of a location parameter (1964).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

Array = npt.NDArray[np.float32]

LossName = Literal["huber", "mse"]


def huber(predicted: Tensor, target: Tensor, width: float = 1.0) -> Tensor:
    """Quadratic near 0, linear beyond `width`; Stable-Baselines3's smooth_l1 at width 1."""
    return nn.functional.huber_loss(predicted, target, delta=width)


def huber_slope(error: Array, width: float = 1.0) -> Array:
    """The derivative of each entry of `huber`, before the mean."""
    return np.clip(error, -width, width)


def mean_squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean of the squared differences."""
    return nn.functional.mse_loss(predicted, target)


def squared_slope(error: Array) -> Array:
    """The derivative of each entry of `mean_squared_error`, before the mean."""
    return 2.0 * error


class Loss(NamedTuple):
    """A loss of predictions against targets.

    Attributes:
        mean: of [B] predictions against [B] targets.
        slope: [B] derivative of each entry by its prediction, from the errors.
    """

    mean: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Array], Array]


#: By the words that public constructors take.
LOSSES: dict[LossName, Loss] = {
    "huber": Loss(huber, huber_slope),
    "mse": Loss(mean_squared_error, squared_slope),
}


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits [B, A] against integer labels [B], or against probabilities [B, A]."""
    return nn.functional.cross_entropy(logits, labels)
