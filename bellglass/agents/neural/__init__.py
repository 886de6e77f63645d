"""Deep learners; the only agents, with the Stable-Baselines3 adapter, that import torch."""
