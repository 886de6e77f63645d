"""What policies are worth, exactly: their values, the pairs they visit, and their score against the optimum."""
