"""Environments of the family 'synthetic': tables made to measure, drawn by a seed, or read from a file."""

from .from_table import FromTable as FromTable
from .garnet import Garnet as Garnet
from .knobs import Knobs as Knobs
