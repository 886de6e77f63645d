"""Students' mistakes are named: each by his own code, on several ids, with the whole table where one is missed."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
from helpers import students

from bellglass import TabularMDP, check, table_of
from bellglass.planning.checking.diagnosis import MISTAKES
from bellglass.planning.checking.verdict import Verdict


def table(name: str, **keywords: Any) -> TabularMDP:
    return table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def shelf() -> TabularMDP:
    """Order 0 to 3 into a shelf of 3; what does not fit cannot be ordered; costs only, so 0 beats everything."""

    def sell(stock: int, order: int) -> list[tuple[float, int, float]] | None:
        if stock + order > 3:
            return None
        rows = []
        for demand, p in enumerate((0.3, 0.4, 0.3)):
            left = max(stock + order - demand, 0)
            rows.append((p, left, -1.0 * order - 0.5 * left - 4.0 * max(demand - stock - order, 0)))
        return rows

    return TabularMDP.from_function(sell, states=range(4), actions=range(4))


def trapdoor() -> TabularMDP:
    """Ends may lie in states that one can also walk on from."""
    P = {
        0: {0: [(0.5, 1, 0.0, False), (0.5, 0, 1.0, True)], 1: [(1.0, 2, -1.0, False)]},
        1: {0: [(1.0, 2, 2.0, False)], 1: [(0.3, 0, 5.0, True), (0.7, 1, 0.0, False)]},
        2: {0: [(1.0, 0, 0.5, False)], 1: [(1.0, 1, 0.0, True)]},
    }
    return TabularMDP.from_P(P, initial=[1.0, 0.0, 0.0])


def dense(mdp: TabularMDP) -> npt.NDArray[Any]:
    return mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)  # type: ignore[no-any-return]


class Homework(NamedTuple):
    """An answer handed in, and the mistake that is in it."""

    name: str
    where: str
    mistake: str
    mdp: TabularMDP
    answer: dict[str, Any]

    def verdict(self) -> Verdict:
        """What is said of it."""
        return check(self.mdp, **self.answer)


def of_values(student: Any, where: str, mistake: str, mdp: TabularMDP, discount: float) -> Homework:
    values = student(mdp.P, discount)
    return Homework(student.__name__, where, mistake, mdp, {"values": values, "discount": discount})


def of_policy(student: Any, where: str, mistake: str, mdp: TabularMDP, discount: float) -> Homework:
    policy = student(mdp.P, discount)
    return Homework(student.__name__, where, mistake, mdp, {"policy": policy, "discount": discount})


def the_twelve() -> list[Homework]:
    """The issue's mistakes, and the commonest besides."""
    lake, cliff, swim = table("FrozenLake"), table("CliffWalking"), table("RiverSwim")
    russell = table("RussellNorvig")
    steps = {"criterion": "finite_horizon", "horizon": 12}
    off = students.backward(swim.P, 1.0, 12, first=11, last=1)
    return [
        of_values(students.goal_has_a_value, "lake", "bootstraps at a terminal state", lake, 0.95),
        of_values(students.reward_of_the_state, "4x3 world", "R(s) for R(s')", russell, 0.9),
        of_values(students.squared_discount, "cliff", "wrong discount", cliff, 0.97),
        of_values(students.loose_threshold, "lake", "stopped early", lake, 0.99),
        Homework("backward", "river", "one sweep off", swim, {"values": off, **steps}),
        of_values(
            students.zeros_where_unavailable, "shelf", "maximum over unavailable actions", shelf(), 0.9
        ),
        of_values(students.mean_over_actions, "5x5", "mean for maximum", table("Grid5x5"), 0.9),
        of_values(students.minimum, "4x3 world", "minimum for maximum", russell, 0.9),
        of_values(students.never_slips, "lake", "chance ignored", lake, 0.9),
        of_values(students.gamma_outside, "taxi", "reward discounted", table("Taxi"), 0.8),
        of_values(students.best_starts_at_zero, "4x4", "maximum starts at 0", table("Grid4x4"), 0.9),
        of_policy(students.argmin, "river", "minimum for maximum", swim, 0.95),
    ]


def all_others() -> list[Homework]:
    lake, cliff, swim = table("FrozenLake"), table("CliffWalking"), table("RiverSwim")
    russell, grid5, sea = table("RussellNorvig"), table("Grid5x5"), table("DeepSea")
    steps = {"criterion": "finite_horizon", "horizon": 12}
    late = students.backward(swim.P, 1.0, 13, first=12, last=0)[:-1]
    reverse = students.forward_numbering(swim.P, 1.0, 12)
    best = students.right_in_place(lake.P, 0.95, 1e-10)[0]
    grid = best.reshape(4, 4).T.ravel()
    turned = students.transposed(dense(swim), swim.expected_reward, 0.5)
    next_one = students.reward_of_leaving_the_next(dense(swim), swim.expected_reward, 0.9)
    short = students.with_time_limit(lake.P, 0.99, 7)
    rule = students.right_in_place(swim.P, 0.99)[2]
    q = students.right_in_place(shelf().P, 0.9, 1e-10)[1]
    return [
        of_values(students.goal_pays_for_ever, "4x3 world", "bootstraps at a terminal state", russell, 0.9),
        of_values(students.ignores_done, "trapdoor", "bootstraps at a terminal state", trapdoor(), 0.9),
        Homework(
            "reward_of_leaving_the_next",
            "river",
            "R(s) for R(s')",
            swim,
            {"values": next_one, "discount": 0.9},
        ),
        of_values(students.forgets_gamma, "lake", "wrong discount", lake, 0.99),
        of_values(students.forgets_gamma, "cliff", "wrong discount", cliff, 0.99),
        of_values(students.ten_sweeps, "5x5", "stopped early", grid5, 0.9),
        of_values(students.random_start_loose, "lake", "stopped early", lake, 0.95),
        of_values(students.lazy_policy_iteration, "lake", "stopped early", lake, 0.95),
        of_values(students.improves_once, "lake", "values of another policy", lake, 0.95),
        of_values(
            students.stays_where_unavailable, "shelf", "maximum over unavailable actions", shelf(), 0.9
        ),
        of_values(students.rewards_are_costs, "cliff", "reward sign", cliff, 0.9),
        of_values(
            students.done_is_worth_nothing, "4x3 world", "reward of the last step forgotten", russell, 0.9
        ),
        of_values(students.reward_without_probability, "river", "reward not weighted", swim, 0.9),
        of_values(students.equals_for_plus_equals, "river", "outcomes overwritten", swim, 0.9),
        of_values(students.likeliest_only, "4x3 world", "chance ignored", russell, 0.9),
        of_values(students.last_state_left_out, "5x5", "one state left out", grid5, 0.9),
        of_values(students.minimum, "sea", "minimum for maximum", sea, 0.9),
        Homework("transposed", "river", "transition transposed", swim, {"values": turned, "discount": 0.5}),
        Homework("late", "river", "one sweep off", swim, {"values": late, **steps}),
        Homework("forward_numbering", "river", "steps in reverse", swim, {"values": reverse, **steps}),
        Homework(
            "optimistic_ones",
            "lake",
            "starts too high",
            lake,
            {"values": students.optimistic_ones(lake.P), "criterion": "total"},
        ),
        Homework("grid", "lake", "states in another order", lake, {"values": grid, "discount": 0.95}),
        Homework("scaled", "lake", "scaled", lake, {"values": 0.05 * best, "discount": 0.95}),
        Homework("time limit", "lake", "stopped early", lake, {"values": short, "discount": 0.99}),
        of_policy(students.one_based, "river", "actions numbered from 1", swim, 0.95),
        of_policy(students.other_arrows, "lake", "actions in another order", lake, 0.95),
        of_policy(students.argmax_of_next_value, "4x3 world", "greedy on other numbers", russell, 0.9),
        of_policy(students.argmax_over_zeros, "shelf", "unavailable action", shelf(), 0.9),
        Homework("rule", "river", "one policy for every step", swim, {"policy": rule, **steps}),
        Homework(
            "unset",
            "shelf",
            "maximum over unavailable actions",
            shelf(),
            {"q_values": np.where(np.isfinite(q), q, 0.0), "discount": 0.9},
        ),
    ]


def confusion(homework: list[Homework]) -> tuple[int, str]:
    """How many are named right, and a line for each."""
    named, lines = 0, [""]
    for one in homework:
        verdict = one.verdict()
        right = verdict.mistake == one.mistake
        named += right
        lines.append(
            f"{'ok ' if right else 'NO '} {one.name:28} {one.where:10} {one.mistake:34} -> {verdict.mistake}"
            + (f" (also: {', '.join(verdict.others)})" if verdict.others else "")
        )
    return named, "\n".join(lines)


def test_eleven_of_twelve_mistakes_are_named_right() -> None:
    named, lines = confusion(the_twelve())
    print(lines)
    assert named >= 11, lines


@pytest.mark.slow
def test_further_mistakes_are_named_right() -> None:
    homework = all_others()
    named, lines = confusion(homework)
    print(lines)
    assert named == len(homework), lines


def test_every_name_is_listed_once() -> None:
    assert len(set(MISTAKES)) == len(MISTAKES)
    assert {one.mistake for one in all_others()} <= set(MISTAKES)


def test_the_time_limit_is_recognised_where_the_environment_has_one() -> None:
    env = gym.make("bellglass/FrozenLake-v0", max_episode_steps=7)
    values = students.with_time_limit(table_of(env).P, 0.99, 7)
    assert check(env, values=values, discount=0.99).mistake == "time limit in the problem"


def test_a_gymnasium_table_walked_on_from_its_goal_is_caught() -> None:
    """Gymnasium's cliff has rows behind its goal: ignoring `terminated` is then a mistake that costs."""
    env: Any = gym.make("CliffWalking-v1")
    wrong = students.ignores_done(env.unwrapped.P, 0.9)
    assert check(env, values=wrong, discount=0.9).mistake == "bootstraps at a terminal state"
    right = students.right_in_place(env.unwrapped.P, 0.9)[0]
    assert right[47] != 0
    verdict = check(env, values=right, discount=0.9)
    assert verdict.right
    assert "terminal states" in verdict.message
    other = students.right_in_place(env.unwrapped.P, 0.8)[0]
    assert check(env, values=other, discount=0.9).mistake == "wrong discount"


def test_rounding_hides_no_mistake() -> None:
    lake = table("FrozenLake")
    values = students.right_in_place(lake.P, 0.9, 1e-12)[0].round(3)
    verdict = check(lake, values=values, discount=0.95)
    assert verdict.mistake == "wrong discount"
    assert "discount 0.9;" in verdict.explanation


@pytest.mark.parametrize("discount", [0.3, 0.77, 0.93, 0.985, 0.9973])
def test_the_discount_that_was_used_is_found(discount: float) -> None:
    russell = table("RussellNorvig")
    values = students.right_in_place(russell.P, discount, 1e-12)[0]
    verdict = check(russell, values=values, discount=0.99)
    assert verdict.mistake == "wrong discount"
    assert f"discount {discount:.6g};" in verdict.explanation


def test_an_answer_that_no_mistake_explains_is_said_to_be_so() -> None:
    grid = table("Grid5x5")
    verdict = check(grid, values=np.random.default_rng(0).normal(size=25) * 10, discount=0.9)
    assert verdict.mistake is None
    assert "no known mistake" in verdict.message + verdict.explanation
    assert "state" in verdict.explanation


@pytest.mark.slow
def test_students_on_every_id_are_understood() -> None:
    """Where two mistakes lead to the same answer, either name will do, if the other one is said as well."""
    expected = {
        students.goal_has_a_value: "bootstraps at a terminal state",
        students.goal_pays_for_ever: "bootstraps at a terminal state",
        students.reward_of_the_state: "R(s) for R(s')",
        students.gamma_outside: "reward discounted",
        students.done_is_worth_nothing: "reward of the last step forgotten",
        students.reward_without_probability: "reward not weighted",
        students.equals_for_plus_equals: "outcomes overwritten",
        students.likeliest_only: "chance ignored",
        students.minimum: "minimum for maximum",
        students.rewards_are_costs: "reward sign",
        students.mean_over_actions: "mean for maximum",
        students.best_starts_at_zero: "maximum starts at 0",
        students.squared_discount: "wrong discount",
        students.last_state_left_out: "one state left out",
        students.loose_threshold: "stopped early",
        students.ten_sweeps: "stopped early",
        students.random_start_loose: "stopped early",
        students.lazy_policy_iteration: "stopped early",
        students.improves_once: "values of another policy",
    }
    lines, named, asked = [""], 0, 0
    for name in (
        "CliffWalking",
        "DeepSea",
        "FrozenLake",
        "Grid4x4",
        "Grid5x5",
        "RiverSwim",
        "RussellNorvig",
        "TMaze",
    ):
        mdp = table(name)
        for student, mistake in expected.items():
            verdict = check(mdp, values=student(mdp.P, 0.95), discount=0.95)
            if verdict.right:
                continue  # here it makes no difference
            asked += 1
            found = verdict.mistake == mistake or mistake in verdict.others
            named += found
            if not found:
                lines.append(f"{name} {student.__name__}: {mistake} -> {verdict.mistake} {verdict.others}")
    assert asked > 90
    assert named >= 0.95 * asked, "\n".join(lines)
