"""The same comparison for machines: JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict

from ..records import CurvePoint, RunSpec
from ..statistics.aggregate import Interval
from ..text import finite
from . import words
from .comparison import THRESHOLDS, Comparison, Ranking
from .table_cells import LEVELS, Cell, Share

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
    "score_zero",
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
            scale = comparison.scales.get(spec.environment.name)
            row |= {
                "status": "finished",
                "score": "" if scale is None else scale.of(run),
                "final_value": final.value,
                "low": final.low,
                "high": final.high,
                "optimum": run.optimum,
                "random": run.random,
                "score_zero": "" if scale is None else scale.zero,
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


def curves_csv(comparison: Comparison) -> str:
    """One row for each point of each finished run's curve, in the order planned."""
    finished = {place(run.spec): run for run in comparison.sweep.finished}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["run_id", "agent", "environment", "seed", "score", *CurvePoint._fields])
    for spec in comparison.sweep.planned:
        run, scale = finished.get(place(spec)), comparison.scales.get(spec.environment.name)
        for point in () if run is None else run.curve:
            score = "" if scale is None else scale(point.value)
            table.writerow([spec.run_id, spec.agent.name, spec.environment.name, spec.seed, score, *point])
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
        "sampled": comparison.sampled,
        "agents": [asdict(agent) for agent in sweep.agents],
        "environments": [asdict(environment) for environment in sweep.environments],
        "scoring": {name: asdict(scoring) for name, scoring in sweep.scoring.items()},
        "versions": dict(sweep.versions),
        "fingerprints": {run.spec.environment.name: run.fingerprint for run in sweep.finished},
        "unscored": comparison.unscored,
        "scales": {name: asdict(scale) for name, scale in comparison.scales.items()},
        "score": words.meaning(comparison),
        "rankings": [ranking_data(one) for one in comparison.rankings],
        "cells": [cell_data(cell) for cell in comparison.cells.values()],
    }
    return json.dumps(finite(summary), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def ranking_data(one: Ranking) -> dict[str, object]:
    """A ranking with its pairs and profiles."""
    return {
        "environments": one.environments,
        "seeds": one.seeds,
        "score_range": one.score_range,
        "rows": [
            {
                **{key: value for key, value in asdict(row).items() if key not in ("within", "profile")},
                "profile": [share.count / share.total for share in row.profile],
                "interval": ends(row.interval),
                "iqm_interval": ends(row.iqm_interval),
                "within_5_percent": share_data(row.within[0]),
                "within_1_percent": share_data(row.within[1]),
                "solved": share_data(row.solved),
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
        "sampled": cell.sampled,
        "seeds": cell.seeds,
        "scores": cell.scores.tolist(),
        "mean": cell.mean,
        "interval": ends(cell.interval),
        "score_range": cell.score_range,
        "within_5_percent": share_data(cell.within[0]),
        "within_1_percent": share_data(cell.within[1]),
        "solved": share_data(cell.solved),
        "reached": [
            {"level": level, **some._asdict(), "interval": ends(some.interval)}
            for level, some in zip(LEVELS, cell.reached, strict=False)
        ],
        "cpu_seconds": cell.cpu_seconds,
        "regret": None if cell.regret is None else {**asdict(cell.regret), "learning": cell.regret.learning},
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
