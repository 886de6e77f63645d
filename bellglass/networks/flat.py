"""All parameters of a module in one vector, and all gradients in another.

What people get wrong: a module's parameters can be changed in a dozen ways from outside (`load_state_dict`,
`p.data = ...`, `vector_to_parameters`, a layer or a parameter replaced, `module.to(...)`, a copy, pickle), and
half of them silently part them from the vector.  So whoever reads the vector calls `sync` first, which looks
at every pointer (2 microseconds for six parameters) and adopts what was assigned.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn


class FlatParameters:
    """Moves the parameters of `module` into one vector; the module goes on working, on views of it.

    An optimiser then needs a handful of operations however many layers there are, and a target network is one
    copy.  Copies and pickles hold a module and a vector of their own, tied in the same way.

    Attributes:
        module: whose parameters they are; another may be assigned.
        gradient: [n] where backward passes add; to be zeroed (`zero_gradient`) by whoever starts one.
        generation: changes when the module's layers or parameters are other objects than before; views of
            `values` made earlier may then be stale.
        kind: what the module is made of; equal for modules that differ in their weights alone.
    """

    def __init__(self, module: nn.Module) -> None:
        self.generation = 0
        self._parts: list[tuple[nn.Parameter, slice, Tensor]] = []  # the third is its view of `gradient`
        self._adopt(module)
        self._must_learn()

    @property
    def module(self) -> nn.Module:
        """Whose parameters they are."""
        return self._module

    @module.setter
    def module(self, module: nn.Module) -> None:
        self._adopt(module)

    @property
    def values(self) -> Tensor:
        """[n] every float32 parameter, in the module's order; frozen ones too."""
        self.sync()
        return self._values

    # -- following the module --------------------------------------------------------------------------------

    def sync(self) -> None:
        """Adopts what was assigned to the module since the last look.

        Raises:
            ValueError: a trainable parameter is not float32 on the CPU.
        """
        try:
            now: list[Any] = [owner[name] for owner, name in self._slots]
            same = (
                [*map(id, now)] == self._identities
                and [p.data_ptr() for p in now] == self._pointers
                and all([p.is_contiguous() for p in self._matrices])
                and self._children == self._children_then
            )
        except (KeyError, AttributeError):  # deleted, or set to None
            same = False
        if not same:
            self._adopt(self._module)

    def snapshot(self) -> bytes | list[bytes]:
        """All weights and buffers as bytes: what a value derived from them is valid for, along with `generation`.

        Writes through a NumPy view or `p.data` leave no trace but this one.
        """
        values = self._array.tobytes()
        if not self._buffers and not self._others:
            return values
        return [values, *(_bytes(tensor) for tensor in self.rest())]

    def rest(self) -> list[Tensor]:
        """What belongs to the module besides the vector: buffers, and frozen parameters of other types."""
        buffers = [owner[name] for owner, name in self._buffers]
        return [*(tensor for tensor in buffers if tensor is not None), *self._others]

    @torch.inference_mode(False)
    def _adopt(self, module: nn.Module) -> None:
        """Makes the module's parameters views of the vector, which stays the same if they are the same objects."""
        distinct = list(module.parameters())
        parameters = [p for p in distinct if p.dtype == torch.float32 and p.device.type == "cpu"]
        others = [p for p in distinct if p.dtype != torch.float32 or p.device.type != "cpu"]
        _refuse_kinds(others)
        if not parameters:
            raise ValueError("the network has no parameters to learn")
        vector = torch.cat([p.detach().reshape(-1) for p in parameters])
        known = [(id(p), part.stop - part.start) for p, part, _ in self._parts]
        if known == [(id(p), p.numel()) for p in parameters]:
            self._values.copy_(vector)
        else:
            self._values: Tensor = vector
            self.gradient: Tensor = torch.zeros_like(vector)
        self._array = self._values.numpy()
        self._parts, place = [], 0
        for p in parameters:
            part = slice(place, place + p.numel())
            p.data = self._values[part].view(p.shape)
            self._parts.append((p, part, self.gradient[part].view(p.shape)))
            place = part.stop
        self._others = others
        self.link()
        self._remember(module)

    def _remember(self, module: nn.Module) -> None:
        """Notes what `sync` compares."""
        modules = list(module.modules())
        self._module = module
        self._slots = [
            (m._parameters, name) for m in modules for name, p in m._parameters.items() if p is not None
        ]
        self._buffers = [
            (m._buffers, name) for m in modules for name, b in m._buffers.items() if b is not None
        ]
        now: list[Any] = [owner[name] for owner, name in self._slots]
        self._pointers = [p.data_ptr() for p in now]
        self._matrices = [p for p in now if p.dim() > 1]
        identities, children = [*map(id, now)], [m._modules for m in modules if m._modules]
        self._children_then = [dict(names) for names in children]
        self._identities, self._children = identities, children
        self.kind = kind_of(module)
        self.generation += 1

    # -- gradients -------------------------------------------------------------------------------------------

    def zero_gradient(self) -> None:
        """Before a backward pass: the gradient is 0, and every parameter adds to its part of it."""
        self.sync()
        self._must_learn()
        self.gradient.zero_()
        self.link()

    def _must_learn(self) -> None:
        _refuse_kinds(self._others)
        if not any([p.requires_grad for p, _, _ in self._parts]):
            raise ValueError("the network has no parameters to learn: all are frozen")

    def link(self) -> None:
        """A gradient that someone replaced or set to None is again the view that it was."""
        for p, _, gradient in self._parts:
            if p.grad is not gradient:
                p.grad = gradient

    def settle(self) -> list[slice]:
        """After backward passes: gradients that lie elsewhere are fetched, those of frozen parameters are 0.

        Returns:
            the frozen parts.
        """
        frozen = []
        for p, part, gradient in self._parts:
            if p.grad is not gradient:
                if p.grad is None:
                    gradient.zero_()
                else:
                    gradient.copy_(p.grad)
                p.grad = gradient
            if not p.requires_grad:
                frozen.append(part)
        if frozen or self._others:
            self._must_learn()
        for part in frozen:
            self.gradient[part] = 0.0
        return frozen

    def clip_(self, largest_norm: float) -> None:
        """Scales the gradient down to the given Euclidean norm, as torch.nn.utils.clip_grad_norm_ does."""
        self.settle()
        self.clip_settled_(largest_norm)

    def clip_settled_(self, largest_norm: float) -> None:
        """`clip_` after `settle`."""
        norm = float(torch.linalg.vector_norm(self.gradient))
        if norm + 1e-6 > largest_norm:
            self.gradient.mul_(largest_norm / (norm + 1e-6))

    # -- copies ----------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """The module and the gradient; each parameter leaves the vector, or it would be written once for each."""
        self.sync()
        for p, _, _ in self._parts:
            p.data = p.detach().clone()
        return {"module": self._module, "gradient": self.gradient.clone(), "generation": self.generation}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.generation, self._parts = state["generation"], []
        self._adopt(state["module"])
        self.gradient.copy_(state["gradient"])


def kind_of(module: nn.Module) -> tuple[object, ...]:
    """What the module is made of: its layers as torch prints them, and the shapes of what they hold."""
    shapes = [tuple(tensor.shape) for tensor in [*module.parameters(), *module.buffers()]]
    return re.sub(r" at 0x\w+", "", str(module)), *shapes


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes()


def _refuse_kinds(parameters: list[nn.Parameter]) -> None:
    """What is trained must be float32 on the CPU; anything else must be frozen."""
    if wrong := sorted({f"{p.dtype} on {p.device}" for p in parameters if p.requires_grad}):
        raise ValueError(f"the network's parameters must be float32 on the CPU, got {wrong}")
