"""Filters over images, then a dense head; every size is checked before torch sees it.

    output size  =  (W - F + 2P) / S + 1        W input, F filter, P padding on each side, S stride

A filter that does not fit evenly would silently ignore the last rows and columns: that is refused, too, unless
`cropped` says that it may.

LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998; the default layers are
those of Mnih et al., Nature 518 (2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .activations import Activation
from .heads import DuelingHead, LinearHead
from .layers import linear, unset


class Filters(NamedTuple):
    """One convolutional layer: how many filters, their side, their step and the padding on each side."""

    channels: int
    size: int
    stride: int = 1
    padding: int = 0


def output_size(width: int, filters: Filters, *, cropped: bool = False) -> int:
    """(W - F + 2P) / S + 1.

    Raises:
        ValueError: the filter is larger than the padded input, or (unless `cropped`) does not fit evenly.

    >>> output_size(84, Filters(32, size=8, stride=4))
    20
    """
    _, size, stride, padding = filters
    for name, number, least in [("size", size, 1), ("stride", stride, 1), ("padding", padding, 0)]:
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
    room = width - size + 2 * padding
    formula = f"(W - F + 2P) / S + 1 = ({width} - {size} + 2*{padding}) / {stride} + 1"
    if room < 0:
        raise ValueError(f"a filter of {size} does not fit into {width + 2 * padding}: {formula} < 1")
    if room % stride and not cropped:
        raise ValueError(f"{formula} is no whole number: the last {room % stride} would be ignored")
    return room // stride + 1


class Convolutional(nn.Module):
    """Convolutions, one hidden dense layer, and a head, for images with channels first or last.

    Args:
        shape: of one image: (channels, height, width), or (height, width, channels) with `channels_last`.
        num_outputs: length of the output.
        generator: initial weights come from it, U(-1, 1) / sqrt(inputs of a unit).
        layers: the convolutions, from the image on.
        hidden_size: width of the dense layer.
        activation: makes the activation of each layer.
        channels_last: as images from Gymnasium are.
        scale: pixels are divided by it.
        cropped: whether filters may ignore a last part of a row or column.
        dueling: a value and advantages in place of one linear head.
    """

    def __init__(
        self,
        shape: Sequence[int],
        num_outputs: int,
        *,
        generator: torch.Generator,
        layers: Sequence[Filters] = (Filters(32, 8, 4), Filters(64, 4, 2), Filters(64, 3, 1)),
        hidden_size: int = 512,
        activation: Activation = nn.ReLU,
        channels_last: bool = False,
        scale: float = 255.0,
        cropped: bool = False,
        dueling: bool = False,
    ) -> None:
        super().__init__()
        if len(shape) != 3:
            raise ValueError(f"shape must be three numbers, of one image, got {tuple(shape)}")
        if not scale > 0.0:
            raise ValueError(f"scale must be positive, got {scale}")
        channels, height, width = (shape[2], shape[0], shape[1]) if channels_last else shape
        self.channels_last = channels_last
        self.scale = scale
        self.sizes: list[tuple[int, int, int]] = [(channels, height, width)]
        modules: list[nn.Module] = []
        for i, filters in enumerate(layers):
            if filters.channels < 1:
                raise ValueError(f"layer {i}: channels must be at least 1, got {filters.channels}")
            try:
                height, width = (output_size(side, filters, cropped=cropped) for side in (height, width))
            except ValueError as error:
                raise ValueError(f"layer {i}: {error}") from error
            convolution = unset(nn.Conv2d, channels, filters.channels, *filters[1:])
            bound = 1.0 / math.sqrt(channels * filters.size**2)
            with torch.no_grad():
                for p in convolution.parameters():
                    p.uniform_(-bound, bound, generator=generator)
            modules += [convolution, activation()]
            channels = filters.channels
            self.sizes.append((channels, height, width))
        modules += [nn.Flatten(), linear(channels * height * width, hidden_size, generator), activation()]
        self.torso = nn.Sequential(*modules)
        head = DuelingHead if dueling else LinearHead
        self.head = head(hidden_size, num_outputs, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, C, H, W] (or [B, H, W, C] with `channels_last`) to [B, num_outputs]."""
        pixels = x.to(torch.float32) / self.scale
        if self.channels_last:
            pixels = pixels.permute(0, 3, 1, 2)
        out: Tensor = self.head(self.torso(pixels))
        return out
