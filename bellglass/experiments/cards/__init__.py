"""The card of an environment: its size, its exact optimum, its hardness, and a picture of best play."""
