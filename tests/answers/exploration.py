"""Chains and seas that are hard to explore."""

from __future__ import annotations

from typing import Any

import bellglass

from .common import Answer, gain, made, start_value, values


def diameter(fact: dict[str, Any]) -> Any:
    return bellglass.hardness(bellglass.table_of(made(fact)), discount=0.99).diameter


ANSWERS: dict[str, Answer] = {
    "river_swim/02": gain,
    "river_swim/04": gain,
    "river_swim/06": values,
    "river_swim/08": start_value,
    "river_swim/10": diameter,
    "deep_sea/02": start_value,
    "deep_sea/04": start_value,
}
