"""The `bellglass` command: run, report, solve and look, without writing Python.

Exit codes: 0 done, 1 some run failed or an answer is wrong, 2 bad input (one line on stderr tells what is allowed).
Nothing heavy is imported before a command needs it, so that `bellglass --help` is quick.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import inspect
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import gymnasium as gym
import tyro
from tyro.conf import Positional, UseAppendAction, arg

if TYPE_CHECKING:
    from ..experiments.running.sweep import Engine
    from ..experiments.suite.schema import Suite

DONE, SOME_RUN_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
SOMETHING_IS_WRONG = 1


def demo(*, quick: bool = False, output: Path | None = None, workers: int | None = None) -> int:
    """Compare six agents on five environments, and write a report (a few minutes).

    Args:
        quick: a smaller comparison, well under a minute.
        output: folder for results and report; bellglass-results/NAME by default.
        workers: runs at a time; one a processor by default.
    """
    from ..experiments.suite.reading import read_suite

    suite = read_suite("quick" if quick else "quickstart")
    return _run_and_report(suite, _folder_of(suite, output), workers)


def run(
    suite: Positional[str],
    /,
    *,
    output: Path | None = None,
    workers: int | None = None,
    engine: Literal["local", "ray", "slurm"] = "local",
    dry_run: bool = False,
) -> int:
    """Run every agent x environment x seed of a suite and write the report; a rerun does what is missing.

    Args:
        suite: path of a suite file (TOML), or the name of a shipped suite.
        output: folder for results and report; bellglass-results/NAME by default.
        workers: runs at a time; one a processor by default (ray: of the cluster; slurm: tasks of the array).
        engine: local: processes here; ray: the cluster that RAY_ADDRESS names, else one of its own here; slurm: write
            a job array for sbatch into the output folder.
        dry_run: list what would run and how long it may take, and run nothing.
    """
    from ..experiments.suite.reading import read_suite

    if workers is not None and workers < 1:
        raise ValueError(f"--workers must be at least 1, got {workers}")
    chosen = read_suite(suite)
    folder = _folder_of(chosen, output)
    if dry_run:
        from ..experiments.running.dry_run import format_plan

        print(format_plan(chosen, folder, workers or os.cpu_count() or 1))
        return DONE
    if engine == "slurm":
        from ..experiments.running.slurm import write_array

        print(f"sbatch {write_array(chosen, folder, tasks=workers)}")
        return DONE
    return _run_and_report(chosen, folder, workers, engine)


def _folder_of(suite: Suite, output: Path | None) -> Path:
    from ..experiments.cards.making import file_name

    return output if output is not None else Path("bellglass-results") / file_name(suite.name)


def _run_and_report(suite: Suite, folder: Path, workers: int | None, engine: Engine = "local") -> int:
    from ..experiments.report.background import failures, where
    from ..experiments.running.sweep import run_suite

    sweep = run_suite(suite, folder, workers=workers, engine=engine)
    _report(folder)
    for (agent, error), runs in failures(sweep.failed):
        place = where(run.spec for run in runs)
        print(f"bellglass: failed: {agent}, {place}: {error}", file=sys.stderr)
    return SOME_RUN_FAILED if sweep.failed or sweep.missing else DONE


def report(folder: Positional[Path], /, *, curves: bool = False) -> int:
    """Write the report of a results folder anew.

    Args:
        folder: what `bellglass run` wrote.
        curves: write curves.csv, too: a row for each point of each run's curve.
    """
    sweep_is_whole = _report(folder, curves=curves)
    return DONE if sweep_is_whole else SOME_RUN_FAILED


def _report(folder: Path, *, curves: bool = False) -> bool:
    from ..experiments.cards.making import load_cards
    from ..experiments.report import write_report
    from ..experiments.results.store import load_sweep

    sweep = load_sweep(folder)
    paths = write_report(sweep, load_cards(folder), folder, curves=curves)
    counts = f"{len(sweep.finished)} finished + {len(sweep.failed)} failed + {len(sweep.missing)} missing"
    print(f"{counts} = {len(sweep.planned)} planned runs")
    print(f"report: {paths.html.resolve()}")
    return not sweep.failed and not sweep.missing


def compare(before: Positional[Path], after: Positional[Path], /, *, output: Path | None = None) -> int:
    """What changed between two results folders, seed by seed, with intervals.

    Args:
        before: a folder that `bellglass run` wrote.
        after: another one, such as of a newer version or other settings.
        output: also write it as a page to this .html file.
    """
    from ..experiments.cards.making import load_cards
    from ..experiments.report import compare as worked_out
    from ..experiments.report import versus, versus_page, versus_text
    from ..experiments.results.store import load_sweep, writable, write_whole

    if output is not None and output.suffix != ".html":
        raise ValueError(f"--output takes a file that ends in .html, got {str(output)!r}")
    both = versus(*(worked_out(load_sweep(folder), load_cards(folder)) for folder in (before, after)))
    print(versus_text(both))
    if output is not None:
        with writable(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            write_whole(output, versus_page(both))
        print(f"\npage: {output.resolve()}")
    return DONE


def solve(
    what: Positional[str],
    /,
    *,
    discount: float | None = None,
    criterion: Literal["discounted", "finite_horizon", "total", "average"] = "discounted",
    horizon: int | None = None,
    method: str = "auto",
    tolerance: float = 1e-8,
    restart: bool = False,
    output: Path | None = None,
    progress: Literal["auto", "always", "never"] = "auto",
    keyword: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=VALUE")] = (),
) -> int:
    """Print the exact optimum of an environment or of a table in a file, with its certified bounds.

    Args:
        what: an environment id such as FrozenLake or bellglass/FrozenLake-v0, a table saved as .npz, or Cassandra's
            text (.pomdp, .mdp).
        discount: weight of the value one step later, in [0, 1); by default the environment's or the .pomdp file's.
        criterion: what is maximised.
        horizon: number of steps, for finite_horizon.
        method: auto chooses; a wrong name is answered with the right ones.
        tolerance: how far apart the certified bounds may be, relative to max(1, max|V*|).
        restart: for average: an end goes on in a state drawn from the start.
        output: write values, q-values, policy and bounds here too; a path that ends in .npz or .csv.
        progress: show on stderr the gap of the bounds and the time left, after two seconds; auto: on a terminal.
        keyword: keyword argument of the environment; may be given several times.
    """
    from .solve import solve_and_print

    return solve_and_print(
        what,
        keywords=_keywords(keyword),
        discount=discount,
        criterion=criterion,
        horizon=horizon,
        method=method,
        tolerance=tolerance,
        restart=restart,
        output=output,
        progress=progress == "always" or (progress == "auto" and sys.stderr.isatty()),
    )


def check(
    what: Positional[str],
    /,
    *,
    answer: Path | None = None,
    again: int = 0,
    kind: Literal["values", "q_values", "policy"] | None = None,
    discount: float | None = None,
    criterion: Literal["discounted", "finite_horizon", "total", "average"] = "discounted",
    horizon: int | None = None,
    tolerance: float = 1e-6,
    keyword: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=VALUE")] = (),
    json: bool = False,
) -> int:
    """Prove a results folder sound; or tell whether an answer is right, else the first wrong state and why.

    Exit code 1 where something is wrong.

    Args:
        what: a results folder; or, with --answer, an environment id such as FrozenLake or bellglass/FrozenLake-v0, a
            table saved as .npz, or Cassandra's .mdp text.
        answer: file of values, q_values or policy: .npz, .json, .npy or .csv.
        again: of a results folder: do so many finished runs again, and compare their bytes.
        kind: what to check of the file; needed where one array could be several things.
        discount: weight of the value one step later, in [0, 1); the environment's own by default.
        criterion: what is maximised.
        horizon: number of steps, for finite_horizon.
        tolerance: how far a number may be off, relative to max(1, max|V*|).
        keyword: keyword argument of the environment; may be given several times.
        json: one JSON object in place of text.
    """
    from json import dumps

    if answer is None:
        return _check_folder(Path(what), again)
    if again:
        raise ValueError("--again is for results folders, --answer for environments and tables")
    from .check import grade

    verdict = grade(
        what,
        answer,
        kind=kind,
        discount=discount,
        criterion=criterion,
        horizon=horizon,
        tolerance=tolerance,
        keywords=_keywords(keyword),
    )
    print(dumps(verdict.as_dict()) if json else verdict)
    return DONE if verdict else SOMETHING_IS_WRONG


def _check_folder(folder: Path, again: int) -> int:
    from ..experiments.running.soundness import examine_folder

    if not folder.is_dir():
        raise ValueError(
            f"{folder}: no such folder; check takes a results folder, or --answer FILE beside an environment or a table"
        )
    found = examine_folder(folder, again=again)
    print(found)
    return DONE if found else SOMETHING_IS_WRONG


def card(
    id: Positional[str],
    /,
    *,
    keyword: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=VALUE")] = (),
) -> int:
    """Show an environment's card: its size, exact optimum, hardness, and a picture of the optimal policy.

    Args:
        id: an environment id such as FrozenLake or bellglass/FrozenLake-v0.
        keyword: keyword argument of the environment; may be given several times.
    """
    from ..experiments.cards.making import card_of
    from ..experiments.suite.catalogue import full_id

    print(card_of(full_id(id), _keywords(keyword)))
    return DONE


def envs(*, json: bool = False) -> int:
    """List the environments.

    Args:
        json: one JSON list instead of a table.
    """
    from .envs import list_environments

    print(list_environments(as_json=json))
    return DONE


def bench(name: Positional[str] = "", /, *options: Positional[str]) -> int:
    """Run a benchmark of the checkout, such as solvers or vector; without a name: list them.

    Args:
        name: one of those listed.
        options: the benchmark's own; `bellglass bench NAME --help` tells them.
    """
    from .bench import benchmarks, run_benchmark

    if not name:
        names = benchmarks()
        width = max(map(len, names))
        print("\n".join(f"{name:{width}}  {what}" for name, what in names.items()))
        return DONE
    sys.stdout.flush()
    code = run_benchmark(name, options)
    return code if code in (DONE, BAD_INPUT) else SOME_RUN_FAILED


def doctor() -> int:
    """Tell what is installed, what is missing, and whether the solver finds a known answer here."""
    from .doctor import examine

    healthy, findings = examine()
    print(findings)
    return DONE if healthy else SOME_RUN_FAILED


def _keywords(pairs: Sequence[str]) -> dict[str, object]:
    """["n=8", "variant=strehl"] as {"n": 8, "variant": "strehl"}: JSON where it reads as JSON, else text."""
    import json

    keywords: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"--keyword takes NAME=VALUE, got {pair!r}")
        try:
            keywords[name] = json.loads(text)
        except json.JSONDecodeError:
            keywords[name] = {"True": True, "False": False, "None": None}.get(text, text)
    return keywords


COMMANDS = {
    command.__name__: command
    for command in (demo, run, report, compare, solve, check, card, envs, bench, doctor)
}


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [
        f"  {name:{width}}  {(inspect.getdoc(command) or '').partition(chr(10))[0]}"
        for name, command in COMMANDS.items()
    ]
    return "\n".join(
        [
            "usage: bellglass COMMAND [OPTIONS]",
            "",
            "Reinforcement learning where the right answer is known.",
            "",
            *lines,
            "",
            "`bellglass COMMAND --help` tells a command's options.",
        ]
    )


def _parsed(name: str, rest: Sequence[str]) -> Callable[[], int]:
    """The command with its arguments, not yet run.

    Raises:
        ValueError: the arguments are wrong; tyro's box of several lines, as one line.
    """
    command = COMMANDS[name]
    if command is bench and rest and not rest[0].startswith("-"):
        return functools.partial(bench, *rest)  # the options are the benchmark's

    @functools.wraps(command)
    def later(*positional: Any, **named: Any) -> Any:
        return functools.partial(command, *positional, **named)

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            run_it: Callable[[], int] = tyro.cli(later, prog=f"bellglass {name}", args=rest)
    except SystemExit as stop:
        if not stop.code:
            raise
        words = re.sub(r"[\u2500-\u257f]+", " ", said.getvalue()).split()
        raise ValueError(f"{name}: " + " ".join(words).partition(" For full helptext")[0]) from None
    return run_it


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command named by `arguments` (those of the process by default); returns the exit code."""
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):  # tyro would read every command's signature first, which takes .1 s
        print(_help())
        return DONE
    if name == "--version":
        from .. import __version__

        print(f"bellglass {__version__}")
        return DONE
    try:
        if name not in COMMANDS:
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(f"unknown command {name!r}; {hint}commands: {', '.join(COMMANDS)}")
        return _parsed(name, rest)()
    except (ValueError, OSError, ImportError, MemoryError, gym.error.Error) as error:
        print(f"bellglass: {str(error) or 'out of memory'}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("bellglass: interrupted; run the same command again to go on", file=sys.stderr)
        return INTERRUPTED
