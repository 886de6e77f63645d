"""One sentence for whoever asks for an agent whose libraries are not installed."""

from __future__ import annotations

#: Top-level modules that are not part of the core, and the extra that brings them.
EXTRA_OF = {"torch": "deep", "stable_baselines3": "deep", "ray": "ray"}


def missing_extra(wanted: str, error: ModuleNotFoundError) -> ImportError:
    """The error to raise when `wanted` could not be imported because of `error`.

    Returns `error` itself if no extra of ours would help.

    >>> raised = ModuleNotFoundError("No module named 'torch'", name="torch")
    >>> print(missing_extra("DQN", raised))
    DQN needs the extra 'deep': pip install 'bellglass[deep]'
    """
    extra = EXTRA_OF.get((error.name or "").split(".")[0])
    if extra is None:
        return error
    return ImportError(
        f"{wanted} needs the extra '{extra}': pip install 'bellglass[{extra}]'", name=error.name
    )
