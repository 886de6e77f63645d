"""Planners, tabular learners and deep learners behind one protocol."""
