"""Checks of keyword arguments, and the sorter of outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bellglass.envs.keywords import flag, one_of, real, whole
from bellglass.envs.mdp.outcomes import sorted_outcomes


@pytest.mark.parametrize(
    ("check", "arguments", "error", "message"),
    [
        (whole, (0, 1, 5), ValueError, r"x must be in \[1, 5\], got 0"),
        (whole, (6, 1, 5), ValueError, r"x must be in \[1, 5\], got 6"),
        (whole, (None, 1), TypeError, "x must be a whole number at least 1, got None"),
        (real, (-0.1, 0.0, 1.0), ValueError, r"x must be in \[0, 1\], got -0.1"),
        (real, (-1.0, 0.0), ValueError, "x must be at least 0, got -1.0"),
        (real, (float("nan"),), ValueError, "x must be finite, got nan"),
        (real, (float("inf"), 0.0), ValueError, "x must be finite and at least 0, got inf"),
        (real, (True,), TypeError, "x must be a number, finite, got True"),
        (real, (np.True_,), TypeError, "x must be a number, finite, got np.True_"),
        (real, (b"1",), TypeError, "x must be a number, finite, got b'1'"),
        (real, (bytearray(b"1"),), TypeError, r"x must be a number, finite, got bytearray\(b'1'\)"),
        (real, (10**400, 0.0, 1.0), ValueError, r"x must be finite and in \[0, 1\], got 10{20}"),
        (real, (-(10**400),), ValueError, "x must be finite, got -10{20}"),
        (flag, (1,), TypeError, "x must be True or False, got 1"),
        (one_of, ("c", ("a", "b")), ValueError, "x must be one of 'a', 'b', got 'c'"),
        (one_of, (3, ("a", "b")), TypeError, "x must be one of 'a', 'b', got 3"),
    ],
)
def test_a_refusal_names_value_and_range(
    check: Callable[..., Any], arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check("x", *arguments)


def test_what_is_right_comes_back_as_plain_numbers() -> None:
    assert type(whole("x", np.int64(3), 1)) is int
    assert type(real("x", 3, 0.0)) is float
    assert flag("x", False) is False
    assert one_of("x", "a", ("a", "b")) == "a"


def test_outcomes_are_sorted_by_pair_and_impossible_ones_dropped() -> None:
    found = sorted_outcomes(
        3,
        pair=[2, 0, 2, 0],
        probability=[0.25, 1.0, 0.75, 0.0],
        next_state=[5, 6, 7, 8],
        reward=1.0,
        terminated=[True, False, False, False],
    )
    assert found["first_outcome"].tolist() == [0, 1, 1, 3]
    assert found["next_state"].tolist() == [6, 5, 7]
    assert found["terminated"].tolist() == [False, True, False]
