"""The command line, as a shell sees it: exit codes, one line on stderr, nothing half-made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.sweeping import trouble_in

from bellglass.cli.commands import main


def bellglass(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bellglass", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, filter(None, [ROOT, path])))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_solve_prints_the_optimum_and_its_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "bellglass/FrozenLake-v0", "--criterion", "total"]) == 0
    assert "0.8235294" in capsys.readouterr().out


def test_solve_reads_keywords_and_saved_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import gymnasium as gym

    from bellglass import table_of

    arguments = ["--keyword", "map_name=8x8", "--keyword", "is_slippery=false", "--discount", "0.9"]
    assert main(["solve", "bellglass/FrozenLake-v0", *arguments]) == 0
    shown = capsys.readouterr().out
    table_of(gym.make("bellglass/FrozenLake-v0", map_name="8x8", is_slippery=False)).save(
        tmp_path / "lake.npz"
    )
    assert main(["solve", str(tmp_path / "lake.npz"), "--discount", "0.9"]) == 0
    saved = capsys.readouterr().out
    assert f"{0.9**13:.6f}"[:7] in shown
    assert f"{0.9**13:.6f}"[:7] in saved


def test_solve_reads_a_pomdp_and_takes_its_discount(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The door never moves and listening tells all: listen once (-1), then 10 for ever: -1 + .5 * 10 / (1 - .5)."""
    text = """discount: 0.5
    values: reward
    states: left right
    actions: listen go-left go-right
    observations: l r
    T: * identity
    O: * uniform
    O: listen 1 0 0 1
    R: listen : * : * : * -1
    R: go-left : left : * : * 10
    R: go-left : right : * : * -100
    R: go-right : right : * : * 10
    R: go-right : left : * : * -100"""
    path = tmp_path / "door.POMDP"
    path.write_text(text, encoding="utf-8")
    output = tmp_path / "door.csv"
    assert main(["solve", str(path), "--output", str(output), "--progress", "always"]) == 0
    out, err = capsys.readouterr()
    assert "discount 0.5) from the start: 9," in out
    assert err == ""
    assert any(line.startswith("1 left") and line.endswith("go-left") for line in out.splitlines())
    rows = output.read_text(encoding="utf-8").splitlines()
    assert rows[0] == "state,label,value,lower,upper,policy,best_actions,q: listen,q: go-left,q: go-right"
    assert rows[1].startswith('0,"0.5 left, 0.5 right",')
    assert main(["solve", str(path), "--discount", "0"]) == 0
    assert "from the start: -1," in capsys.readouterr().out
    path.write_text(text[:-20], encoding="utf-8")
    assert main(["solve", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"bellglass: {path}, line 13, column ")


def test_solve_restarts_what_ends_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "bellglass/FrozenLake-v0", "--criterion", "average", "--restart"]) == 0
    assert "best average reward per step" in capsys.readouterr().out


def test_solve_prints_map_and_names_and_writes_npz(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    path = tmp_path / "cliff.npz"
    arguments = ["bellglass/CliffWalking-v0", "--method", "policy_iteration", "--output", str(path)]
    assert main(["solve", *arguments]) == 0
    out = capsys.readouterr().out
    assert "→" in out
    assert "policy_iteration" in out
    assert "lower" in out
    assert f"written to {path}" in out
    with np.load(path, allow_pickle=False) as file:
        assert file["values"].shape == (48,)
        assert json.loads(str(file["about"]))["method"] == "policy_iteration"
    assert list(tmp_path.iterdir()) == [path]


def test_envs_lists_every_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["envs"]) == 0
    assert "bellglass/TMaze-v0" in capsys.readouterr().out
    assert main(["envs", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["bellglass/Taxi-v0"]["states"] == 500
    assert rows["bellglass/RiverSwim-v0"]["keywords"]["variant"] == "osband"


def test_card_shows_size_optimum_and_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "bellglass/CliffWalking-v0"]) == 0
    shown = capsys.readouterr().out
    assert "48" in shown
    assert "-13" in shown
    assert "→" in shown


def test_doctor_finds_a_known_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "14/17" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["FrozenLake", "FrozenLake-v0", "bellglass/FrozenLake"])
def test_an_id_may_be_short_wherever_one_is_asked_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    monkeypatch.chdir(tmp_path)
    full = "bellglass/FrozenLake-v0"
    assert said("card", name) == said("card", full)
    said("solve", full, "--output", "best.npz")
    assert said("check", name, "--answer", "best.npz") == said("check", full, "--answer", "best.npz")
    assert said("solve", name).splitlines()[1:] == said("solve", full).splitlines()[1:]  # but the seconds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["card", "bellglass/FrozenLak-v0"],
            "unknown environment; did you mean 'bellglass/FrozenLake-v0'? `bellglass envs` lists them\n",
        ),
        (["solve", "Tigr"], "Tigr: unknown environment; did you mean 'bellglass/Tiger-v0'?"),
        (["card", "1984"], "bellglass: 1984: unknown environment; `bellglass envs` lists them\n"),
        (["card", "bellglass/FrozenLake-v0", "--keyword", "mapname=8x8"], "did you mean 'map_name'"),
        (
            ["card", "bellglass/Grid4x4-v0", "--keyword", "size=8"],
            "unknown keyword; allowed: invalid_actions",
        ),
        (["card", "bellglass/FrozenLake-v0", "--keyword", "success_rate=2"], "success_rate"),
        (["card", "bellglass/FrozenLake-v0", "--keyword", 'desc=["SF", "G"]'], "row"),
        (["card", "bellglass/FrozenLake-v0", "--keyword", "desc"], "NAME=VALUE"),
        (["solve", "nowhere.npz"], "nowhere.npz"),
        (["solve", "nowhere.pomdp"], "nowhere.pomdp"),
        (["solve", "nowhere.npz", "--keyword", "n=8"], "--keyword is for environments"),
        (["solve", __file__], "unknown ending: tables are read from .npz"),
        (["solve", "bellglass/Grid4x4-v0", "--method", "magic"], "these do: auto, value_iteration"),
        (["solve", "bellglass/Grid4x4-v0", "--output", "best.txt"], "ends in .npz or .csv, got 'best.txt'"),
        (["solve", "bellglass/Grid4x4-v0", "--output", "no/best.csv"], "there is no folder no"),
        (["solve", "bellglass/FrozenLake-v0", "--discount", "1.5"], "1.5"),
        (["run", "no-such-suite"], "no-such-suite"),
        (["rum", "quick"], "did you mean 'run'"),
        (["run", "quick", "--worker", "2"], "Perhaps you meant: --workers"),
        (["solve"], "Missing from bellglass solve"),
        (["solve", "bellglass/FrozenLake-v0", "--horizon", "many"], "many"),
        (["solve", "bellglass/FrozenLake-v0", "--criterion", "best"], "best"),
        (["run", "quick", "--workers", "0"], "--workers must be at least 1, got 0"),
        (["report", "."], "no results folder of bellglass"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert message in err
    assert err.startswith("bellglass: ")
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    assert list(tmp_path.iterdir()) == []


def test_a_suite_tells_all_its_mistakes_and_makes_no_folder(tmp_path: Path) -> None:
    suite = tmp_path / "suite.toml"
    suite.write_text(
        'name = "wrong"\nseds = 3\n[[environments]]\nid = "bellglass/FrozenLak-v0"\nsteps = 100\n'
        '[[agents]]\nname = "Q"\nclass = "QLerning"\n',
        encoding="utf-8",
    )
    done = bellglass("run", "suite.toml", "--output", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "seds" in done.stderr
    assert "'bellglass/FrozenLake-v0'" in done.stderr
    assert "'QLearning'" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("../mine", "%2E.%2Fmine"), ("..", "%2E."), ("/mine", "%2Fmine")],
)
def test_a_suites_name_never_leads_out_of_the_folder_of_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(SMALL_SUITE.replace("small", name), encoding="utf-8")
    assert main(["run", "s.toml", "--engine", "slurm"]) == 0
    made = {path.name for path in tmp_path.glob("*")} | {path.name for path in tmp_path.glob("*-results/*")}
    assert made == {"s.toml", "bellglass-results", folder}


def test_a_dry_run_lists_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "quick", "--dry-run"]) == 0
    assert "runs" in capsys.readouterr().out.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


SMALL_SUITE = """
name = "small"
seeds = 2
[scoring]
points = 5
[[environments]]
id = "bellglass/FrozenLake-v0"
steps = 500
[[agents]]
name = "Q-learning"
class = "QLearning"
[[agents]]
name = "Value iteration"
class = "ValueIteration"
"""


def test_run_writes_a_report_and_a_rerun_changes_no_result(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL_SUITE, encoding="utf-8")
    done = bellglass("run", "small.toml", "--output", "out", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 finished + 0 failed + 0 missing = 4 planned runs" in done.stdout
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Q-learning" in page
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("result.json")}
    assert len(before) == 4
    assert bellglass("run", "small.toml", "--output", "out", cwd=tmp_path).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("result.json")} == before
    assert bellglass("report", "out", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_a_torn_result_is_told_and_done_again(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL_SUITE, encoding="utf-8")
    assert bellglass("run", "small.toml", "--output", "out", "--workers", "1", cwd=tmp_path).returncode == 0
    result = sorted((tmp_path / "out").rglob("result.json"))[0]
    whole = result.read_bytes()
    result.write_bytes(whole[:-20])
    torn = bellglass("report", "out", cwd=tmp_path)
    assert torn.returncode in (1, 2)
    assert "Traceback" not in torn.stderr
    assert bellglass("run", "small.toml", "--output", "out", cwd=tmp_path).returncode == 0
    assert result.read_bytes() == whole
    assert bellglass("report", "out", cwd=tmp_path).returncode == 0


def test_a_failed_run_is_counted_in_every_output_and_makes_the_exit_code_one(tmp_path: Path) -> None:
    """Two of six runs fail; one of the others is then cut short, so that it is missing."""
    trouble_in(tmp_path)
    own = '[[agents]]\nname = "unlucky"\nclass = "trouble:Raises"\n'
    (tmp_path / "small.toml").write_text(SMALL_SUITE + own, encoding="utf-8")
    done = bellglass("run", "small.toml", "--output", "out", "--workers", "2", cwd=tmp_path, path=tmp_path)
    assert done.returncode == 1
    assert "4 finished + 2 failed + 0 missing = 6 planned runs" in done.stdout
    failed = [line for line in done.stderr.splitlines() if line.startswith("bellglass: failed: ")]
    assert failed == ["bellglass: failed: unlucky, FrozenLake: seeds 0-1: ArithmeticError: no luck"]
    result = sorted((tmp_path / "out").rglob("result.json"))[0]
    result.unlink()
    for command in ("report", "check"):
        again = bellglass(command, "out", cwd=tmp_path, path=tmp_path)
        assert "3 finished + 2 failed + 1 missing = 6 planned runs" in again.stdout
        assert again.returncode == (1 if command == "report" else 0)  # a sound folder need not be a whole one
    rows = (tmp_path / "out" / "runs.csv").read_text(encoding="utf-8").splitlines()[1:]
    counted = [sum(f",{status}," in row for row in rows) for status in ("finished", "failed", "missing")]
    assert (counted, len(rows)) == ([3, 2, 1], 6)
    assert '"missing": 1' in (tmp_path / "out" / "summary.json").read_text(encoding="utf-8")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "ArithmeticError" in page
    assert "in learn" in page  # the traceback
    assert "ArithmeticError" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_check_proves_a_folder_and_finds_damage(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL_SUITE, encoding="utf-8")
    assert bellglass("run", "small.toml", "--output", "out", cwd=tmp_path).returncode == 0
    sound = bellglass("check", "out", "--again", "1", cwd=tmp_path)
    assert sound.returncode == 0
    assert sound.stdout.endswith("out: sound, 1 done again with the same bytes\n")
    curve = sorted((tmp_path / "out").rglob("curve.jsonl"))[0]
    curve.write_bytes(curve.read_bytes().replace(b"1", b"2", 1))
    damaged = bellglass("check", "out", cwd=tmp_path)
    assert damaged.returncode == 1
    assert "curve.jsonl beside it was cut off or altered" in damaged.stdout


def test_ctrl_c_ends_with_130_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(SMALL_SUITE.replace("500", "50_000_000"), encoding="utf-8")
    sweep = subprocess.Popen(
        [sys.executable, "-m", "bellglass", "run", "long.toml", "--output", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that puts tests into the background has them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("runs/*/curve.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(sweep.pid, signal.SIGINT)  # as a terminal does: to the whole group
    said = sweep.communicate(timeout=60)[1].splitlines()
    assert sweep.returncode == 130
    assert said[-1] == "bellglass: interrupted; run the same command again to go on"
    assert not any("Traceback" in line for line in said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "nowhere: no such folder; check takes a results folder, or --answer FILE"),
        (["check", "."], "no results folder of bellglass"),
        (
            ["check", "bellglass/Grid4x4-v0", "--answer", "x.npy", "--again", "2"],
            "--again is for results folders",
        ),
        (["run", "quick", "--workers", "0"], "--workers must be at least 1, got 0"),
        (["run", "quick", "--engine", "rai"], "--engine"),
    ],
)
def test_bad_arguments_of_run_and_check_are_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
