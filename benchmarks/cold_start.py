"""From nothing to an answer: `import bellglass`, build FrozenLake 8x8, solve it, in a fresh process without caches.

    python benchmarks/cold_start.py [--rounds 5]

Seconds beyond importing gymnasium, which every user of an environment pays.  HOME and numba's cache folder are new
and empty each time; the compiled Python of the packages (.pyc) is kept, as an installer leaves it.  One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = """
import json, sys, time
import gymnasium
wall, cpu = time.perf_counter(), time.process_time()
import bellglass
imported = time.perf_counter()
env = gymnasium.make("bellglass/FrozenLake-v0", map_name="8x8")
made = time.perf_counter()
best = bellglass.solve(env, discount=0.99)
end = time.perf_counter()
print(json.dumps({
    "wall": end - wall, "cpu": time.process_time() - cpu, "import": imported - wall, "make": made - imported,
    "solve": end - made, "method": best.method,
    "heavy": [m for m in ("numba", "torch", "scipy.stats", "scipy.optimize") if m in sys.modules],
}))
"""


def measure() -> dict[str, float]:
    """One fresh process."""
    root = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory() as folder:
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
        variables |= {"HOME": folder, "NUMBA_CACHE_DIR": os.path.join(folder, "numba"), "PYTHONPATH": root}
        variables |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=True
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    measure()  # writes .pyc files where there are none
    runs = [measure() for _ in range(options.rounds)]
    middle = {
        key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "import", "make", "solve")
    }
    print(
        f"import bellglass, FrozenLake 8x8, solve: {middle['wall']:.3f} s beyond importing gymnasium "
        f"(CPU {middle['cpu']:.3f} s), median of {options.rounds}"
    )
    print(
        f"of which import {middle['import']:.3f}, make {middle['make']:.3f}, solve {middle['solve']:.3f} s "
        f"({runs[-1]['method']}); heavy modules loaded: {runs[-1]['heavy'] or 'none'}"
    )


if __name__ == "__main__":
    main()
