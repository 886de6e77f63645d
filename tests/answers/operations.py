"""Stocks, machines, queues and stakes."""

from __future__ import annotations

from .common import Answer, values_at

ANSWERS: dict[str, Answer] = {
    "gambler/01": values_at(1, 13, 25, 50, 51, 75, 99),
    "gambler/03": values_at(1, 13, 25, 50, 51, 75, 99),
}
