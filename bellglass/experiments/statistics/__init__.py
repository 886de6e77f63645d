"""From seeds to statements: means, intervals, ranks, and the chance that one agent is better than another."""
