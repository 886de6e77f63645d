"""TicTacToe: positions counted, rows by hand, minimax against an independent recursion."""

from __future__ import annotations

from functools import cache
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.games.tic_tac_toe import LINES, Boards, game_values
from bellglass.envs.mdp import TabularMDP


def game(**keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make("bellglass/TicTacToe-v0", **keywords))


def test_the_positions_are_as_many_as_is_known() -> None:
    first, second = game(), game(agent="O")
    assert [int(mdp.terminal.sum()) for mdp in (first, second)] == [958, 958]
    assert [int((~mdp.terminal).sum()) for mdp in (first, second)] == [2423, 2097]


def test_the_opponent_answers_within_the_step() -> None:
    mdp = game()
    rows = mdp.P[mdp.encode(".........")][4]
    assert [mdp.decode(next_s) for _, next_s, _, _ in rows][:2] == ["O...X....", ".O..X...."]
    assert {row[0] for row in rows} == {1 / 8}
    assert not mdp.action_mask[mdp.encode("XO.......")][:2].any()
    won = mdp.P[mdp.encode("XX.OO....")]
    assert won[2] == [(1.0, mdp.encode("XXXOO...."), 1.0, True)]
    lost = {mdp.decode(next_s): (p, r, ended) for p, next_s, r, ended in won[8]}
    assert lost["XX.OOO..X"] == (1 / 4, -1.0, True)
    assert lost["XXOOO...X"] == (1 / 4, 0.0, False)


def test_the_last_cell_makes_a_win_or_a_draw() -> None:
    mdp = game()
    assert mdp.P[mdp.encode("XOXXOO.XO")][6] == [(1.0, mdp.encode("XOXXOOXXO"), 1.0, True)]
    assert mdp.P[mdp.encode("XOXOOXX.O")][7] == [(1.0, mdp.encode("XOXOOXXXO"), 0.0, True)]


def test_as_second_player_one_starts_after_the_first_move() -> None:
    for opponent in ("random", "minimax"):  # every first move is a draw by best play
        mdp = game(agent="O", opponent=opponent)
        starts = {mdp.decode(int(s)) for s in np.flatnonzero(mdp.initial)}
        assert starts == {"." * cell + "X" + "." * (8 - cell) for cell in range(9)}


@cache
def worth(board: str, mover: str) -> int:
    """Minimax in plain recursion: 1 if X wins."""
    for line in LINES:
        if board[line[0]] != "." and len({board[cell] for cell in line}) == 1:
            return 1 if board[line[0]] == "X" else -1
    free = [cell for cell in range(9) if board[cell] == "."]
    if not free:
        return 0
    other = "O" if mover == "X" else "X"
    values = [worth(board[:cell] + mover + board[cell + 1 :], other) for cell in free]
    return max(values) if mover == "X" else min(values)


def test_minimax_agrees_with_plain_recursion() -> None:
    worth("." * 9, "X")
    boards = Boards()
    values = game_values(boards)
    for code in np.flatnonzero(boards.possible):
        board = "".join(".XO"[mark] for mark in boards.cells[code])
        assert values[code] == worth(board, "X" if boards.to_move[code] == 1 else "O")


@pytest.mark.parametrize("agent", ["X", "O"])
def test_nobody_beats_minimax(agent: str) -> None:
    assert bellglass.solve(game(agent=agent, opponent="minimax"), criterion="total").start_value == 0.0


def test_minimax_takes_any_of_the_best_replies() -> None:
    mdp = game(opponent="minimax")
    rows = mdp.P[mdp.encode(".........")][4]  # only corners hold the draw against the centre
    assert sorted(str(mdp.decode(next_s)).index("O") for _, next_s, _, _ in rows) == [0, 2, 6, 8]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="agent must be one of 'X', 'O', got 'Y'"):
        game(agent="Y")
    with pytest.raises(ValueError, match="opponent must be one of 'random', 'minimax', got 'perfect'"):
        game(opponent="perfect")
