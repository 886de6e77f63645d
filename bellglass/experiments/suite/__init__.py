"""A suite file, read and checked: which agents play which environments, for how long, and by what they are judged."""
