"""Gymnasium environments whose transition table is open to read."""
