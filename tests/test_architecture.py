"""Who may import whom: the drawing of the house, kept true by the imports themselves."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import networkx
import pytest

import bellglass
from bellglass.agents import AGENTS
from bellglass.envs.registration import ENVIRONMENTS

ROOT = Path(bellglass.__file__).parent

#: What everybody may import: it knows nobody.
GROUND = ("lazy", "extras", "compiled", "atomic")

#: Each folder or file, and the modules of others that it may reach; the longest name that fits decides.
MAY_IMPORT = {
    "envs": (),
    "networks": (),
    "planning": ("envs",),
    "agents": ("envs.mdp", "envs.pomdp", "networks"),
    # A learner cannot peek: neither at the optimum nor at the table.
    "agents/tabular": ("envs.mdp", "envs.pomdp", "agents"),
    "agents/neural": ("envs.mdp", "envs.pomdp", "networks", "agents"),
    "agents/planners.py": ("envs.mdp", "envs.pomdp", "envs.tables", "planning", "agents"),
    "experiments": ("envs", "networks", "planning", "agents"),
    "cli": ("envs", "networks", "planning", "agents", "experiments", "__version__"),
}

#: The rooms of experiments, from the ground up: each may import those before it.  The ground is what lies loose.
ROOMS = ("statistics", "scoring", "suite", "results", "cards")
ON_TOP = ("running", "report")  # neither knows the other

#: Third parties that only some places may import, whether at the top or late.
ONLY_IN = {
    "torch": ("agents/neural", "networks", "agents/stable_baselines3"),
    "stable_baselines3": ("agents/stable_baselines3",),
    "pydantic": ("experiments",),
    "rich": (
        "experiments",
        "cli",
        "cli/commands.py",
        "agents/base.py",
        "agents/progress.py",
        "planning/progress_bar.py",
    ),
    "tyro": ("cli", "cli/commands.py"),
    "numba": ("compiled.py",),
    "ray": ("experiments/running/ray_engine.py",),
}

#: What `import bellglass` and `bellglass --help` must not load.
HEAVY = ("torch", "stable_baselines3", "numba", "scipy", "pydantic", "rich")


@cache
def text_of(file: Path) -> str:
    """Read once."""
    return file.read_text(encoding="utf-8")


@cache
def tree_of(file: Path) -> ast.Module:
    """Parsed once."""
    return ast.parse(text_of(file))


@cache
def imports_of(file: Path) -> set[str]:
    """Dotted names of everything that `file` may reach by an import; the package's own without its name."""
    package = ("bellglass", *file.relative_to(ROOT).parts[:-1])
    names: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            if (
                module == "bellglass" or not node.module
            ):  # `from .. import envs` names its modules after `import`
                names |= {f"{module}.{alias.name}" for alias in node.names}
            else:
                names.add(module)
    return names


FILES = sorted(ROOT.rglob("*.py"))


def allowed_in(where: Path) -> tuple[str, ...]:
    """The modules that a file of the package may import, its own room and the ground included."""
    name = where.as_posix()
    rooms = [room for room in MAY_IMPORT if name == room or name.startswith(f"{room}/")]
    room = max(rooms, key=len)
    return (room.removesuffix(".py").replace("/", "."), *MAY_IMPORT[room], *GROUND)


def for_every_file(check: Callable[[Path], None]) -> Callable[[], None]:
    """One test that holds every file of the package against `check`, and names all that fail."""

    def test() -> None:
        wrong = []
        for file in FILES:
            try:
                check(file)
            except AssertionError as error:
                wrong.append(str(error).partition("\n")[0])
        assert wrong == []

    return test


@for_every_file
def test_arrows_point_one_way(file: Path) -> None:
    where = file.relative_to(ROOT)
    for name in imports_of(file):
        if name.startswith("bellglass."):
            inside = name.removeprefix("bellglass.")
            if len(where.parts) > 1:
                fits = any(inside == ok or inside.startswith(f"{ok}.") for ok in allowed_in(where))
                assert fits, f"{where} imports {name}"
            elif where.stem in GROUND:
                assert inside in GROUND, f"{where} imports {name}"
        else:
            homes = ONLY_IN.get(name.split(".")[0])
            if homes is not None:
                fits = any(
                    where.as_posix() == home or where.as_posix().startswith(f"{home}/") for home in homes
                )
                assert fits, f"{where} imports {name}"


def modules(root: Path) -> dict[str, Path]:
    """The package's modules by their dotted names (without its own; the face is "")."""
    names = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


def import_graph(root: Path) -> networkx.DiGraph:
    """Who imports whom: at the top, inside functions and for type checkers alike.

    `from .mdp import table` is an arrow to the module `mdp.table`, `from .mdp import TabularMDP` one to the face of
    the folder `mdp`.
    """
    names = modules(root)
    graph = networkx.DiGraph()
    graph.add_nodes_from(names)
    for name, file in names.items():
        package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
        package = [part for part in package if part]
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1]
                module = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    inner = f"{module}.{alias.name}".lstrip(".")
                    target = inner if inner in names else module
                    if target != name:
                        graph.add_edge(name, target)
    return graph


def circles(root: Path) -> list[set[str]]:
    """The groups of modules that import one another in a circle."""
    return [group for group in networkx.strongly_connected_components(import_graph(root)) if len(group) > 1]


def test_no_circle_of_imports() -> None:
    assert [sorted(group) for group in circles(ROOT)] == []


def test_circles_are_seen_wherever_the_import_stands(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "__init__.py").write_text("from .a import x as x\n")
    (tmp_path / "room" / "a.py").write_text("def f():\n    from . import b\n")
    (tmp_path / "room" / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..room import x\n"
    )
    assert circles(tmp_path) == [{"room", "room.a", "room.b"}]
    text_of.cache_clear()
    tree_of.cache_clear()
    (tmp_path / "room" / "b.py").write_text("from ..other import y\n")
    assert circles(tmp_path) == []


@pytest.mark.parametrize("room", [*ROOMS, *ON_TOP])
def test_arrows_point_down_inside_experiments(room: str) -> None:
    below = ROOMS if room in ON_TOP else ROOMS[: ROOMS.index(room)]
    above = {*ROOMS, *ON_TOP, "__init__"} - {*below, room}
    for file in (ROOT / "experiments" / room).rglob("*.py"):
        for name in imports_of(file):
            parts = name.split(".")
            if parts[:2] == ["bellglass", "experiments"] and len(parts) > 2:
                assert parts[2] not in above, f"{file.relative_to(ROOT)} imports {name}"


def test_the_ground_of_experiments_knows_no_room() -> None:
    for file in (ROOT / "experiments").glob("*.py"):
        if file.name != "__init__.py":
            for name in imports_of(file):
                parts = name.split(".")
                assert parts[2:3] == [] or parts[2] not in (*ROOMS, *ON_TOP), f"{file.name} imports {name}"


#: Where our own package is imported inside functions: so that `bellglass --help` is quick.
LATE = ("cli/commands.py",)


@for_every_file
def test_our_own_package_is_imported_at_the_top(file: Path) -> None:
    if file.relative_to(ROOT).as_posix() in LATE:
        return
    for function in ast.walk(tree_of(file)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for node in ast.walk(function):
                late = isinstance(node, ast.ImportFrom) and node.level
                assert not late, f"{file.relative_to(ROOT)}: {ast.unparse(node)} inside {function.name}"


def python_files(folder: Path) -> list[Path]:
    """Those that lie loose in it, its face apart."""
    return [file for file in folder.glob("*.py") if file.name != "__init__.py"]


FOLDERS = sorted({file.parent for file in FILES})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_no_room_is_too_full(folder: Path) -> None:
    has_rooms = any((inner / "__init__.py").exists() for inner in folder.iterdir() if inner.is_dir())
    assert len(python_files(folder)) <= (12 if has_rooms else 20)


@for_every_file
def test_no_file_is_too_long(file: Path) -> None:
    lines = len(text_of(file).splitlines())
    assert lines <= 450, f"{file.relative_to(ROOT)} has {lines} lines"


def test_no_name_stands_twice() -> None:
    names = Counter(file.name for file in FILES if file.name != "__init__.py")
    assert [name for name, times in names.items() if times > 1] == []


TESTS = Path(__file__).parent

#: Modules whose tests ask through a door: for a room or a module, the test that opens it.
THROUGH = {
    "agents/neural": "agents/neural/test_dqn.py",
    "agents/stable_baselines3": "agents/test_stable_baselines3.py",
    "agents/tabular": "agents/tabular/test_q_learning.py",
    "cli": "cli/test_commands.py",
    "envs/cassandra": "envs/cassandra/test_reader.py",
    "envs/extraction": "envs/extraction/test_front.py",
    "envs/grids": "test_every_env.py",
    "envs/mdp": "envs/mdp/test_table.py",
    "envs/operations": "test_every_env.py",
    "envs/registration.py": "test_every_env.py",
    "envs/rendering": "envs/rendering/test_cells.py",
    "envs/synthetic": "envs/synthetic/test_knobs.py",
    "envs/thresholds.py": "experiments/cards/test_reward_thresholds.py",
    "envs/vector": "envs/vector/test_vector_env.py",
    "experiments": "experiments/report/test_writing.py",
    "networks": "networks/test_networks.py",
    "planning": "planning/test_solver.py",
    "planning/checking": "planning/checking/test_diagnosis.py",
    "planning/large": "planning/large/test_large_solver.py",
    "planning/policies": "planning/test_evaluation.py",
    "planning/pomdp": "planning/pomdp/test_heuristic_search.py",
    "planning/solutions": "planning/solutions/test_solution_files.py",
    "planning/undiscounted": "planning/undiscounted/test_total.py",
}


def is_named_beside(where: Path) -> bool:
    """Whether a test in the same folder of tests (or the one above) speaks of the module or of something in it."""
    tree = tree_of(ROOT / where)
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)} | {where.stem}
    names = {name for name in names if not name.startswith("_")}
    folders = {TESTS / where.parent, TESTS / where.parent.parent}
    texts = [text_of(file) for folder in folders for file in folder.glob("test_*.py")]
    return any(re.search(rf"\b{name}\b", text) for text in texts for name in names)


@for_every_file
def test_the_test_of_a_module_is_found_at_the_same_place(file: Path) -> None:
    where = file.relative_to(ROOT)
    if where.name in ("__init__.py", "__main__.py") or (TESTS / where.parent / f"test_{where.name}").exists():
        return
    contracts = {*(row.module for row in ENVIRONMENTS), *AGENTS.values()}
    if is_named_beside(where) or ".".join(where.with_suffix("").parts[1:]) in contracts:
        return  # every id and every agent is held to a contract: test_every_env, test_tabular_agents
    doors = [door for door in THROUGH if where.as_posix() == door or where.as_posix().startswith(f"{door}/")]
    assert doors, f"tests/{where.parent.as_posix()} has no test_{where.name}, and nothing there names it"
    door = THROUGH[max(doors, key=len)]
    assert (TESTS / door).exists(), door


def test_every_door_is_needed() -> None:
    for door in THROUGH:
        assert (ROOT / door).exists(), door


def test_the_reader_of_imports_sees_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "agents" / "tabular" / "spy.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import torch.nn\nfrom ... import envs\nfrom ...envs.tabular import TabularEnv\nfrom . import twin\n"
    )
    expected = {"torch.nn", "bellglass.envs", "bellglass.envs.tabular", "bellglass.agents.tabular.twin"}
    assert imports_of(file) == expected


@pytest.mark.parametrize("arguments", [["-c", "import bellglass"], ["-m", "bellglass", "--help"]])
def test_a_light_start_loads_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    loaded = {
        line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line
    }
    assert "bellglass" in loaded or "gymnasium" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fresh interpreter for each module takes too long")
def test_any_module_may_be_the_first_to_be_imported() -> None:
    """A face imports its room; so whoever is asked for first must not stand in a circle with his own face."""
    program = (
        "import importlib, os, sys\n"
        "import bellglass, scipy.sparse.linalg, scipy.optimize, pydantic, tyro, rich.progress\n"
        "for name in sys.argv[1:]:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try:\n"
        "            importlib.import_module(name)\n"
        "        except BaseException as error:\n"
        "            print(name, repr(error), flush=True)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
    )
    light = [
        name
        for name, file in modules(ROOT).items()
        if name not in ("__main__",) and not any(n.split(".")[0] == "torch" for n in imports_of(file))
    ]
    names = [f"bellglass.{name}" for name in light if name]
    done = subprocess.run(
        [sys.executable, "-c", program, *names], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.splitlines() == []
