"""Records as canonical JSON and back: equal records, equal bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .records import AgentSpec, CurvePoint, EnvironmentSpec, RunResult, RunSpec, ScoringSpec, Snapshot


def canonical(value: object) -> str:
    """JSON with sorted keys, floats by repr, and "inf", "-inf" for what JSON has no number for.

    >>> canonical({"b": -math.inf, "a": [1, 0.1]})
    '{"a":[1,0.1],"b":"-inf"}'
    """
    return json.dumps(
        finite(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def finite(value: object) -> object:
    """The same, with infinite floats and NaN as strings."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def digest(text: str | bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def line_of(point: CurvePoint) -> str:
    """One line of a curve."""
    return canonical(point._asdict()) + "\n"


def curve_from(text: str) -> tuple[CurvePoint, ...]:
    """The points of a whole curve file.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    points = []
    for line in text.splitlines():
        row = json.loads(line)
        points.append(
            CurvePoint(
                steps=int(row["steps"]),
                value=float(row["value"]),
                exploring_value=maybe(row["exploring_value"]),
                episodic_regret=maybe(row["episodic_regret"]),
                gap_regret=float(row["gap_regret"]),
                episodes=int(row["episodes"]),
                low=float(row["low"]),
                high=float(row["high"]),
            )
        )
    return tuple(points)


def maybe(number: Any) -> float | None:
    """A float, or None."""
    return None if number is None else float(number)


def spec_from(data: Mapping[str, Any]) -> RunSpec:
    """A run's spec from its JSON form.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    return RunSpec(
        agent=AgentSpec(**data["agent"]),
        environment=EnvironmentSpec(**data["environment"]),
        scoring=ScoringSpec(**data["scoring"]),
        seed=data["seed"],
    )


def result_text(result: RunResult, curve: bytes) -> str:
    """The file of a finished run: everything but the curve, whose digest it bears, and its own digest."""
    body = {
        "spec": asdict(result.spec),
        "run_id": result.spec.run_id,
        "fingerprint": result.fingerprint,
        "optimum": result.optimum,
        "random": result.random,
        "floor": result.floor,
        "policy": result.policy,
        "values": result.values,
        "snapshots": result.snapshots,
        "exact": result.exact,
        "final": result.final._asdict(),
        "points": len(result.curve),
        "curve_sha256": digest(curve),
    }
    return canonical({**body, "sha256": digest(canonical(body))}) + "\n"


def result_from(text: str, curve: bytes) -> RunResult:
    """The inverse of `result_text`.

    Raises:
        ValueError, KeyError, TypeError: cut off or altered.
    """
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("no result in it")
    claimed = body.pop("sha256")
    if claimed != digest(canonical(body)):
        raise ValueError("its digest does not fit its content")
    if body["curve_sha256"] != digest(curve):
        raise ValueError("curve.jsonl beside it was cut off or altered")
    points = curve_from(curve.decode())
    if not points:
        raise ValueError("curve.jsonl beside it is empty")
    policy, values = body["policy"], body["values"]
    return RunResult(
        spec=spec_from(body["spec"]),
        fingerprint=body["fingerprint"],
        optimum=float(body["optimum"]),
        random=float(body["random"]),
        floor=float(body["floor"]),
        curve=points,
        policy=None if policy is None else tuple(int(action) for action in policy),
        exact=bool(body["exact"]),
        values=None if values is None else tuple(float(value) for value in values),
        snapshots=tuple(snapshot_from(row) for row in body.get("snapshots", ())),
    )


def snapshot_from(row: Any) -> Snapshot:
    """A snapshot from its JSON form.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    steps, policy, values = row
    return Snapshot(
        steps=int(steps),
        policy=tuple(int(action) for action in policy),
        values=None if values is None else tuple(float(value) for value in values),
    )
