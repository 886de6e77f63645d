"""Pairs, chains and linear systems: the algebra that every criterion is solved with."""
