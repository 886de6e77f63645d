"""Large discounted tables: compiled kernels, the searches that use them, and their certificate."""
