"""From a suite to a full results folder: processes, engines, retries, progress, and proofs that all is sound."""
