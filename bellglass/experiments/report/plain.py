"""The same comparison for machines (JSON, CSV) and for GitHub (Markdown with pictures in files)."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import asdict

from .. import pictures
from ..aggregate import Interval
from ..records import RunSpec
from . import words
from .background import first_shown, told
from .comparison import THRESHOLDS, Cell, Comparison, Ranking, Share
from .maps import learned_map, maps_of, optimum_map
from .sections import lines, ran

COLUMNS = (
    "run_id",
    "agent",
    "environment",
    "environment_id",
    "seed",
    "status",
    "score",
    "final_value",
    "low",
    "high",
    "optimum",
    "random",
    "regret",
    "criterion_floor",
    "gap_regret",
    "episodic_regret",
    "episodes",
    "steps",
    "exact",
    "seconds",
    "cpu_seconds",
    "host",
    "attempts",
    "fingerprint",
    "error",
)


def runs_csv(comparison: Comparison) -> str:
    """One row for each planned run, in the order planned: finished, failed or missing."""
    sweep = comparison.sweep
    finished = {place(run.spec): run for run in sweep.finished}
    failed = {place(run.spec): run for run in sweep.failed}
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for spec in sweep.planned:
        row: dict[str, object] = {
            "run_id": spec.run_id,
            "agent": spec.agent.name,
            "environment": spec.environment.name,
            "environment_id": spec.environment.id,
            "seed": spec.seed,
            "status": "missing",
        }
        if place(spec) in finished:
            run = finished[place(spec)]
            final = run.final
            row |= {
                "status": "finished",
                "score": "" if run.optimum == run.random else run.normalized(final.value),
                "final_value": final.value,
                "low": final.low,
                "high": final.high,
                "optimum": run.optimum,
                "random": run.random,
                "regret": run.optimum - final.value,
                "criterion_floor": run.floor,
                "gap_regret": final.gap_regret,
                "episodic_regret": final.episodic_regret,
                "episodes": final.episodes,
                "steps": final.steps,
                "exact": run.exact,
                "fingerprint": run.fingerprint,
            }
            if spec.run_id in sweep.timings:
                row |= asdict(sweep.timings[spec.run_id])
        elif place(spec) in failed:
            row |= {"status": "failed", "error": failed[place(spec)].error.strip().split("\n")[0]}
        table.writerow(row)
    return text.getvalue()


def place(spec: RunSpec) -> tuple[str, str, int]:
    """What makes a run one of its kind."""
    return spec.agent.name, spec.environment.name, spec.seed


def summary_json(comparison: Comparison) -> str:
    """Every number that the page shows."""
    sweep = comparison.sweep
    first, said = words.verdict(comparison)
    summary = {
        "name": sweep.name,
        "verdict": [first, *said],
        "warnings": words.warnings(comparison),
        "planned": len(sweep.planned),
        "finished": len(sweep.finished),
        "failed": len(sweep.failed),
        "missing": len(sweep.missing),
        "skipped": [asdict(pair) for pair in sweep.skipped],
        "seeds": sweep.seeds,
        "cpu_seconds": comparison.cpu_seconds,
        "exact": comparison.exact,
        "agents": [asdict(agent) for agent in sweep.agents],
        "environments": [asdict(environment) for environment in sweep.environments],
        "scoring": {name: asdict(scoring) for name, scoring in sweep.scoring.items()},
        "versions": dict(sweep.versions),
        "fingerprints": {run.spec.environment.name: run.fingerprint for run in sweep.finished},
        "unscored": comparison.unscored,
        "rankings": [ranking_data(one) for one in comparison.rankings],
        "cells": [cell_data(cell) for cell in comparison.cells.values()],
    }
    return json.dumps(clean(summary), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def ranking_data(one: Ranking) -> dict[str, object]:
    """A ranking with its pairs and profiles."""
    return {
        "environments": one.environments,
        "seeds": one.seeds,
        "score_range": one.score_range,
        "rows": [
            {
                **asdict(row),
                "interval": ends(row.interval),
                "iqm_interval": ends(row.iqm_interval),
                "within_5_percent": share_data(row.within[0]),
                "within_1_percent": share_data(row.within[1]),
                "solved": share_data(row.solved),
                "within": None,
            }
            for row in one.rows
        ],
        "profile_thresholds": THRESHOLDS,
        "pairs": [
            {
                "first": first,
                "second": second,
                "probability": pair.probability,
                "interval": ends(pair.interval),
                "p_value": pair.p_value,
                "p_value_holm": pair.adjusted,
            }
            for (first, second), pair in one.pairs.items()
        ],
    }


def cell_data(cell: Cell) -> dict[str, object]:
    """One agent in one environment, curves included."""
    return {
        "agent": cell.agent,
        "environment": cell.environment,
        "planned": cell.planned,
        "finished": len(cell.finished),
        "failed": len(cell.failed),
        "missing": len(cell.missing),
        "seeds": cell.seeds,
        "scores": cell.scores.tolist(),
        "mean": cell.mean,
        "interval": ends(cell.interval),
        "score_range": cell.score_range,
        "within_5_percent": share_data(cell.within[0]),
        "within_1_percent": share_data(cell.within[1]),
        "solved": share_data(cell.solved),
        "reached": [asdict(some) for some in cell.reached],
        "cpu_seconds": cell.cpu_seconds,
        "curves": {
            name: None if curve is None else {key: row.tolist() for key, row in vars(curve).items()}
            for name, curve in (
                ("value", cell.value),
                ("gap_regret", cell.gap_regret),
                ("episodic_regret", cell.episodic_regret),
            )
        },
    }


def ends(interval: Interval | None) -> list[float] | None:
    """As a list."""
    return None if interval is None else list(interval)


def share_data(part: Share | None) -> dict[str, object] | None:
    """Count, total and interval."""
    return (
        None if part is None else {"count": part.count, "total": part.total, "interval": ends(part.interval)}
    )


def clean(value: object) -> object:
    """Without `None` under "within", and with infinite numbers as text, for which JSON has no sign."""
    if isinstance(value, dict):
        return {str(key): clean(item) for key, item in value.items() if key != "within"}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


def markdown(comparison: Comparison) -> tuple[str, dict[str, str]]:
    """`report.md`, and the pictures it shows: {file name: SVG}."""
    sweep = comparison.sweep
    figures: dict[str, str] = {}
    first, said = words.verdict(comparison)
    text = [f"# {cellsafe(sweep.name)}", "", f"**{cellsafe(first)}** {cellsafe(' '.join(said))}", ""]
    text += [f"- {cellsafe(warning)}" for warning in words.warnings(comparison)]
    text += [
        "",
        f"{len(sweep.finished):,} finished + {len(sweep.failed):,} failed + {len(sweep.missing):,} missing = "
        f"{len(sweep.planned):,} planned runs; {sweep.seeds} seeds; CPU time {words.seconds(comparison.cpu_seconds)}. "
        "Score: 0 is uniform random play, 1 the optimum of the table.",
        "",
        "## Ranking",
        "",
    ]
    for k, one in enumerate(comparison.rankings):
        text += ranking_text(comparison, one, k, figures)
    text += ["## Environment by environment", ""]
    text += grid_of(["agent", *comparison.environments], environment_rows(comparison))
    text += ["## Exact value while learning", ""]
    for k, name in enumerate(comparison.environments):
        text += curve_text(comparison, name, k, figures)
    text += ["## Every seed", ""]
    for k, name in enumerate(comparison.environments):
        rows = [
            (
                agent,
                agent_name,
                [
                    (f"seed {run.spec.seed}", score)
                    for run, score in zip(cell.finished, ran(cell), strict=True)
                ],
            )
            for agent, agent_name in enumerate(comparison.agents)
            if (cell := comparison.cells.get((agent_name, name))) is not None
            and name not in comparison.unscored
        ]
        if any(runs for *_, runs in rows):
            low = max(-1.0, min([0.0] + [score for *_, runs in rows for _, score in runs]))
            label = f"{name}: score of every run"
            text += shown(figures, f"seeds-{k}", name, pictures.dot_strip(rows, label=label, low=low), label)
    text += map_text(comparison, figures)
    text += trouble_text(comparison)
    text += ["## How to reproduce", "", "```", f"bellglass run suite.toml --output {sweep.folder.name}"]
    text += [", ".join(f"{name} {version}" for name, version in sorted(sweep.versions.items())), "```", ""]
    if sweep.suite_text:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", sweep.suite_text)), default=0))
        text += [f"{fence}toml", sweep.suite_text.rstrip(), fence, ""]
    return "\n".join(text), figures


def ranking_text(comparison: Comparison, one: Ranking, k: int, figures: dict[str, str]) -> list[str]:
    """A ranking as picture and table."""
    where = words.listed(list(one.environments))
    label = f"Mean score on {where}"
    picture = pictures.interval_chart(
        [(comparison.agents.index(row.agent), row.agent, row.mean, row.interval) for row in one.rows],
        label=label,
    )
    rows = [
        [
            str(place),
            row.agent,
            words.score(row.mean),
            words.interval(row.interval),
            words.score(row.iqm),
            words.score(row.optimality_gap),
            words.share(row.within[1]),
            f"{row.finished}/{row.planned}" + (f", {row.failed} failed" if row.failed else ""),
        ]
        for place, row in enumerate(one.rows, 1)
    ]
    heads = ["", "agent", "mean", "95 % interval", "IQM", "optimality gap", "within 1 %", "runs"]
    return [
        *shown(figures, f"ranking-{k}", f"Compared on {where}", picture, label),
        *grid_of(heads, rows),
        f"Betting interval for scores from {cellsafe(words.range_of(one))}.",
        "",
    ]


def environment_rows(comparison: Comparison) -> list[list[str]]:
    """Mean score of each agent in each environment."""
    rows = []
    for name in comparison.agents:
        row = [name]
        for environment in comparison.environments:
            cell = comparison.cells.get((name, environment))
            if cell is None:
                row.append("does not play")
            else:
                lost = f" ({len(cell.failed)} failed)" if cell.failed else ""
                row.append(words.score(cell.mean) + lost)
        rows.append(row)
    return rows


def curve_text(comparison: Comparison, name: str, k: int, figures: dict[str, str]) -> list[str]:
    """Exact value against steps."""
    series = lines(comparison, name, lambda cell: cell.value)
    if not series:
        return []
    run = next(run for run in comparison.sweep.finished if run.spec.environment.name == name)
    floor = run.random - abs(run.optimum - run.random) if run.optimum != run.random else None
    label = f"{name}: exact value against steps"
    picture = pictures.line_chart(
        series,
        label=label,
        x_label="environment steps",
        references=(("optimum", run.optimum), ("random", run.random)),
        floor=floor,
    )
    return shown(figures, f"value-{k}", name, pictures.with_legend(picture, series), label)


def map_text(comparison: Comparison, figures: dict[str, str]) -> list[str]:
    """The optimum beside the same run that the page shows first."""
    found, _ = maps_of(comparison)
    text = ["## What did it learn?", ""] if found else []
    for k, one in enumerate(found):
        run = first_shown(one)
        text += [
            f"**{cellsafe(one.environment)}**: left the optimum, right {cellsafe(told(comparison, run))}.",
            "",
        ]
        figures[f"map-{k}-optimum.svg"] = pictures.standalone(optimum_map(one))
        figures[f"map-{k}-learned.svg"] = pictures.standalone(learned_map(one, run))
        text += [f"![Optimum](figures/map-{k}-optimum.svg) ![Learned](figures/map-{k}-learned.svg)", ""]
    return text


def trouble_text(comparison: Comparison) -> list[str]:
    """Failed runs and pairs that cannot play."""
    sweep = comparison.sweep
    text = []
    if sweep.failed:
        text += ["## Failed runs", ""]
        text += [
            f"- {cellsafe(run.spec.agent.name)} on {cellsafe(run.spec.environment.name)}, seed {run.spec.seed}: "
            f"{cellsafe(run.error.strip().split(chr(10))[0])}"
            for run in sweep.failed
        ]
        text.append("")
    if sweep.skipped:
        text += ["## Pairs that cannot play", ""]
        text += [
            f"- {cellsafe(pair.agent)} on {cellsafe(pair.environment)}: {cellsafe(pair.reason)}"
            for pair in sweep.skipped
        ]
        text.append("")
    return text


def shown(figures: dict[str, str], name: str, heading: str, picture: str, label: str) -> list[str]:
    """Keeps the picture as a file, and shows it."""
    figures[f"{name}.svg"] = pictures.standalone(picture)
    return [f"**{cellsafe(heading)}**", "", f"![{cellsafe(label)}](figures/{name}.svg)", ""]


def grid_of(heads: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    text = ["| " + " | ".join(map(cellsafe, heads)) + " |", "|" + " --- |" * len(heads)]
    text += ["| " + " | ".join(map(cellsafe, row)) + " |" for row in rows]
    return [*text, ""]


def cellsafe(text: str) -> str:
    r"""Text that neither ends a table's cell nor turns into HTML or emphasis.

    >>> cellsafe("a|b <i>")
    'a\\|b &lt;i&gt;'
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "\\\\")
    text = re.sub(r"([|*`\[\]])", r"\\\1", text)
    return re.sub(r"\s+", " ", text)
