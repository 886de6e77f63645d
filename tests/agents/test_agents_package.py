"""The names that `bellglass.agents` lends, what it says where an extra is missing, and files of agents."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bellglass.agents
from bellglass.agents.files import generator_from_json, generator_to_json, read_agent, write_agent

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
sys.modules["stable_baselines3"] = None
import bellglass.agents
for name in {names}:
    try:
        getattr(bellglass.agents, name)
    except ImportError as error:
        print(error)
bellglass.agents.QLearning
"""


def test_the_names_come_late_and_light() -> None:
    program = (
        "import sys, bellglass.agents\n"
        "bellglass.agents.QLearning, bellglass.agents.CertaintyEquivalence, bellglass.agents.estimate_mdp\n"
        "print(sorted({'torch', 'numba', 'scipy', 'rich', 'stable_baselines3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_extra_is_named() -> None:
    names = ["DQN", "RecurrentDQN", "StableBaselines3"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH.format(names=names)], capture_output=True, text=True, check=True
    )
    expected = [f"{name} needs the extra 'deep': pip install 'bellglass[deep]'" for name in names]
    assert done.stdout.splitlines() == expected


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Qlearning'"):
        bellglass.agents.Qlearning  # noqa: B018 (asking is the test)
    assert "QLearning" in dir(bellglass.agents)


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])}
    write_agent(tmp_path / "x", "Some", {"discount": 0.9, "list": [1, None]}, arrays)
    settings, back = read_agent(tmp_path / "x", "Some")
    assert settings == {"discount": 0.9, "list": [1, None]}
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_agent(tmp_path / "x", "Some", {"n": 1}, {})
    for settings, arrays in (({"n": object()}, {}), ({}, {"a": np.array([object()])})):
        with pytest.raises(TypeError):
            write_agent(tmp_path / "x", "Some", settings, arrays)
    assert read_agent(tmp_path / "x", "Some")[0] == {"n": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_pickle_in_a_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", agent=np.array({"format": "bellglass agent 1"}, dtype=object))
    with pytest.raises(ValueError, match="not an agent saved by bellglass, or is damaged"):
        read_agent(tmp_path / "x.npz", "Some")


def test_generators_go_on_where_they_stood() -> None:
    generator = np.random.default_rng(1)
    generator.random(5)
    twin = generator_from_json(generator_to_json(generator))
    np.testing.assert_array_equal(twin.random(5), generator.random(5))
    with pytest.raises(TypeError, match="only PCG64"):
        generator_to_json(np.random.Generator(np.random.MT19937(1)))
