"""Losses, as means over all entries.

huber               |e| <= width:  e^2 / 2,  else  width * (|e| - width / 2)      Huber (1964)
mean_squared_error  e^2
cross_entropy       - log softmax(logits)[label]
"""

from __future__ import annotations

from torch import Tensor, nn


def huber(predicted: Tensor, target: Tensor, width: float = 1.0) -> Tensor:
    """Quadratic near 0, linear beyond `width`; Stable-Baselines3's smooth_l1 at width 1."""
    return nn.functional.huber_loss(predicted, target, delta=width)


def mean_squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean of the squared differences."""
    return nn.functional.mse_loss(predicted, target)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits [B, A] against integer labels [B], or against probabilities [B, A]."""
    return nn.functional.cross_entropy(logits, labels)
