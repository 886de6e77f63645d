"""Cassandra's text format of (partially observed) Markov decision processes, read into tables."""

from .cassandra_error import CassandraError as CassandraError
from .reader import CassandraModel as CassandraModel
from .reader import parse_cassandra as parse_cassandra
from .reader import read_cassandra as read_cassandra
