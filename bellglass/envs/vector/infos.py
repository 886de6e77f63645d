"""The info dictionaries of vector environments, in Gymnasium's form.

An array for each key, and under `_key` which copies it speaks of; the others hold zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..mdp import BoolArray, FloatArray, IntArray, TabularMDP


class Infos:
    """Makes the infos of `num_envs` copies of `mdp`; every array is a fresh one."""

    def __init__(self, mdp: TabularMDP, num_envs: int) -> None:
        self._action_mask = mdp.action_mask
        self._all: BoolArray = np.ones(num_envs, dtype=np.bool_)

    def of_all(self, state: IntArray, probability: FloatArray, invalid: BoolArray | None) -> dict[str, Any]:
        """Of every copy.

        Args:
            state: [n] where the copies are.
            probability: [n] chance of the outcomes that led there; handed on as it is.
            invalid: [n] which actions were not available, or None: all were.
        """
        infos: dict[str, Any] = {
            "state": state.copy(),
            "_state": self._all.copy(),
            "probability": probability,
            "_probability": self._all.copy(),
            "action_mask": self._action_mask.take(state, axis=0),
            "_action_mask": self._all.copy(),
        }
        _tell_invalid(infos, invalid)
        return infos

    def of_some(
        self, state: IntArray, probability: FloatArray, invalid: BoolArray | None, mask: BoolArray
    ) -> dict[str, Any]:
        """The same of the copies of `mask` [n] alone."""
        infos = self.of_all(np.where(mask, state, 0), np.where(mask, probability, 0.0), None)
        infos["action_mask"] &= mask[:, None]
        for key in ("_state", "_probability", "_action_mask"):
            infos[key] &= mask
        _tell_invalid(infos, None if invalid is None else invalid & mask)
        return infos

    def of_ends(
        self,
        seen: IntArray,
        ended: BoolArray,
        state: IntArray,
        probability: FloatArray | None,
        invalid: BoolArray | None,
    ) -> dict[str, Any]:
        """What the copies `ended` [n] showed last, before they were reset within the step; None elsewhere."""
        final_obs = np.full(len(seen), None, dtype=object)
        final_obs[ended] = np.fromiter(seen[ended], dtype=object)
        infos: dict[str, Any] = {"final_obs": final_obs, "_final_obs": ended.copy()}
        if probability is not None:
            infos["final_info"] = self.of_some(state, probability, invalid, ended)
            infos["_final_info"] = ended.copy()
        return infos


def _tell_invalid(infos: dict[str, Any], invalid: BoolArray | None) -> None:
    if invalid is not None and np.count_nonzero(invalid):
        infos["invalid_action"], infos["_invalid_action"] = invalid.copy(), invalid.copy()
