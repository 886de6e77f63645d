"""What pytest must not collect: the root links, which show the package's files a second time; and Ray's without Ray."""

from importlib.util import find_spec

collect_ignore = ["envs", "agents", "networks", "experiments"]
if find_spec("ray") is None:
    collect_ignore.append(
        "bellglass/experiments/running/ray_engine.py"
    )  # cannot be imported to look for examples
