"""All parameters of a module in one vector, and all gradients in another."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FlatParameters:
    """Moves the parameters of `module` into one vector; the module goes on working, on views of it.

    An optimiser then needs a handful of operations however many layers there are, and a target network is one
    copy.

    Attributes:
        values: [n] every trainable parameter, in the module's order.
        gradient: [n] where backward passes add; to be zeroed by whoever starts one.
    """

    def __init__(self, module: nn.Module) -> None:
        parameters = [p for p in module.parameters() if p.requires_grad]
        if not parameters:
            raise ValueError("the network has no parameters to learn")
        kinds = {(p.dtype, p.device.type) for p in parameters}
        if kinds != {(torch.float32, "cpu")}:
            raise ValueError(
                f"the network's parameters must be float32 on the CPU, got {sorted(map(str, kinds))}"
            )
        self.values: Tensor = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.gradient: Tensor = torch.zeros_like(self.values)
        place = 0
        for p in parameters:
            part = slice(place, place + p.numel())
            p.data = self.values[part].view(p.shape)
            p.grad = self.gradient[part].view(p.shape)
            place += p.numel()

    def clip_(self, largest_norm: float) -> None:
        """Scales the gradient down to the given Euclidean norm, as torch.nn.utils.clip_grad_norm_ does."""
        norm = float(torch.linalg.vector_norm(self.gradient))
        if norm + 1e-6 > largest_norm:
            self.gradient.mul_(largest_norm / (norm + 1e-6))
