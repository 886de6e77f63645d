"""What pytest must not collect: the root links, which show the package's files a second time."""

collect_ignore = ["envs", "agents", "networks", "experiments"]
