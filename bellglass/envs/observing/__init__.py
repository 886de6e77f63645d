"""What agents are shown instead of the state: maps over states, so that the table stays exact."""
