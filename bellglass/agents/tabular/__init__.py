"""Learners on tables of action values or of maximum-likelihood counts, one file an algorithm."""
