"""A maintenance problem of one's own: the model as a function, and the optimum under two criteria."""

from __future__ import annotations

from collections.abc import Iterator

import bellglass

WEAR = 0.3
REPAIR_COST, BREAKDOWN_COST = 4.0, 12.0


def machine(age: int, action: str) -> Iterator[tuple[float, int, float]]:
    """A machine earns 5 - age a day, wears with chance 0.3, and breaks at age 4."""
    if action == "repair":
        yield 1.0, 0, -REPAIR_COST
    elif age == 4:
        yield 1.0, 4, -BREAKDOWN_COST
    else:
        yield 1.0 - WEAR, age, 5.0 - age
        yield WEAR, age + 1, 5.0 - age


def main() -> list[str]:
    """Returns the best action at each age, for the long-run average."""
    mdp = bellglass.TabularMDP.from_function(machine, states=range(5), actions=["run", "repair"])
    discounted = bellglass.solve(mdp, discount=0.95)
    forever = bellglass.solve(mdp, criterion="average")
    print(f"value of a new machine at discount .95: {discounted.start_value:.4f}")
    print(f"average income a day: {forever.start_value:.4f}")
    return [mdp.action_name(int(a)) for a in forever.policy]


if __name__ == "__main__":
    print("best action by age:", main())
