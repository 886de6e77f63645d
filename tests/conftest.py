"""The invented sweep and its report, made once for the tests that read them; and Ctrl-C as in the foreground."""

from __future__ import annotations

import signal

import pytest
from helpers.invented_sweep import invented_sweep

from bellglass.experiments.cards.card import Card
from bellglass.experiments.records import Sweep
from bellglass.experiments.report import ReportPaths, write_report

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell put the tests into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def sweep_and_cards() -> tuple[Sweep, dict[str, Card]]:
    return invented_sweep()


@pytest.fixture(scope="module")
def written(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path_factory: pytest.TempPathFactory
) -> ReportPaths:
    return write_report(*sweep_and_cards, tmp_path_factory.mktemp("report"))
