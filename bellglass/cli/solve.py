"""What `bellglass solve` does: reads a table or makes an environment, solves it, prints it, writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gymnasium as gym

from ..envs.cassandra import read_cassandra
from ..envs.mdp import TabularMDP
from ..experiments.suite.catalogue import card_discount
from ..planning.questions import METHODS, Method, Model
from ..planning.solutions.record import Criterion
from ..planning.solutions.solution_files import check_ending
from ..planning.solutions.solution_pictures import headline, maps, table
from ..planning.solver import solve
from .envs import environment_of

#: Endings of Cassandra's text, and of our own tables.
CASSANDRA, TABLE = (".pomdp", ".mdp"), ".npz"


def solve_and_print(
    what: str,
    *,
    keywords: Mapping[str, object],
    discount: float | None,
    criterion: Criterion,
    horizon: int | None,
    method: str,
    tolerance: float,
    restart: bool,
    output: Path | None,
    progress: bool,
) -> int:
    """Prints the headline, the map where there is one, and the table of states; writes `output` if given.

    Returns:
        0, the exit code.

    Raises:
        ValueError: the file is damaged, or a setting out of range; the message is one line.
        OSError: a file cannot be read or written.
    """
    if output is not None:  # before hours of work, not after
        check_ending(output)
        if not output.parent.is_dir():
            raise ValueError(f"--output {output}: there is no folder {output.parent}")
    chosen = _method(method, criterion)
    model, own_discount = model_of(what, keywords)
    if discount is None and criterion == "discounted":
        discount = own_discount
    try:
        best = solve(
            model,
            discount,
            criterion=criterion,
            horizon=horizon,
            method=chosen,
            tolerance=tolerance,
            restart=restart,
            progress_bar=progress,
        )
    finally:
        if isinstance(model, gym.Env):
            model.close()
    print(headline(best))
    for part in (maps(best), table(best)):
        if part is not None:
            print(f"\n{part}")
    if output is not None:
        best.save(output)
        print(f"\nwritten to {output}")
    return 0


def model_of(what: str, keywords: Mapping[str, object]) -> tuple[Model, float | None]:
    """The model, and the discount that comes with it, if one does.

    Raises:
        ValueError: the file is damaged or of no known kind, or the environment cannot be made.
        OSError: the file cannot be read.
    """
    ending = Path(what).suffix.lower()
    is_file = Path(what).is_file() and what not in gym.registry
    if ending not in (TABLE, *CASSANDRA) and not is_file:
        env = environment_of(what, keywords)
        return env, card_discount(env)
    if keywords:
        raise ValueError("--keyword is for environments; a saved table has none")
    if ending == TABLE:
        return TabularMDP.load(what), None
    if ending in CASSANDRA:
        return read_cassandra(what)
    raise ValueError(
        f"{what} has an unknown ending: tables are read from .npz (TabularMDP.save), .pomdp and .mdp (Cassandra)"
    )


def _method(name: str, criterion: Criterion) -> Method:
    for method in METHODS[criterion]:
        if method == name:
            return method
    able = ", ".join(METHODS[criterion])
    raise ValueError(f"--method {name} does not answer criterion {criterion!r}; these do: {able}")
