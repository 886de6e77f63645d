"""What learners with an online and a target network share: who holds the networks, and how they may be changed.

Anything that torch lets one do to a network may be done to the agent's: weights loaded, assigned or written to,
layers replaced, parameters frozen, another module assigned, the whole agent copied or pickled.  It acts, learns
and saves by what its networks are then, or says what is wrong; the target network follows at its next update.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, NoReturn, TypeVar, cast

from torch import nn

from ...networks import Adam, FlatParameters, kind_of, move_towards
from ..experience import Experience
from .neural_learner import NeuralLearner

Network = TypeVar("Network", bound=nn.Module)


class PairedLearner(NeuralLearner, Generic[Network]):
    """Learns with two networks of one make."""

    def _take_networks(self, online: FlatParameters, target: FlatParameters) -> None:
        self.parameters, self.target_parameters = online, target
        self.optimiser = Adam(online)
        self._built = online.kind
        self._own = getattr(self, "_own", False)

    @abstractmethod
    def _check_network(self, module: nn.Module) -> None:
        """Raises where the learner cannot act by `module`; leaves it in eval mode."""

    @property
    def network(self) -> Network:
        """The online network; one that is assigned is taken itself, no copy of it."""
        return cast("Network", self.parameters.module)

    @network.setter
    def network(self, module: Network) -> None:
        self._check_network(module)
        self.parameters.module = module

    @property
    def target_network(self) -> Network:
        """The one that values next states; made like the online network."""
        return cast("Network", self.target_parameters.module)

    @target_network.setter
    def target_network(self, module: Network) -> None:
        self._check_network(module)
        self.parameters.sync()
        if kind_of(module) != self.parameters.kind:
            raise ValueError("the target network must be made like the network: assign that first")
        self.target_parameters.module = module

    def _play_until(self, timestep: int, experience: Experience) -> None:
        """Between two callbacks nobody else changes the networks: they are not looked at before each step."""
        try:
            self._undisturbed(True)
            super()._play_until(timestep, experience)
        finally:
            self._undisturbed(False)

    def _undisturbed(self, undisturbed: bool) -> None:
        self.parameters.undisturbed = self.target_parameters.undisturbed = undisturbed

    def _network_word(self, word: str) -> str:
        """What a file says of the network: `word` if it is the one that the constructor makes, else "own".

        The network is looked at before it is written: a target network of another make becomes its copy.
        """
        self.optimiser.follow()
        if self.target_parameters.kind != self.parameters.kind:
            move_towards(self.target_parameters, self.parameters, 1.0)
        return "own" if self._own or self.parameters.kind != self._built else word

    def __copy__(self) -> NoReturn:
        raise TypeError(
            f"a shallow copy of a {type(self).__name__} would share its networks and memories: use copy.deepcopy"
        )
