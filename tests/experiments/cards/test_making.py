"""Cards: exact answers that go to disk and back, and read well."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest

from bellglass.envs.documentation import source_of
from bellglass.envs.registration import ENVIRONMENTS
from bellglass.experiments.cards.making import Card, card_of, cards_for, file_name, load_cards, write_cards
from bellglass.experiments.suite.reading import suite_from
from bellglass.experiments.suite_errors import SuiteError


@pytest.fixture(scope="module")
def lake() -> Card:
    return card_of("bellglass/FrozenLake-v0", {"map_name": "4x4"})


def test_the_frozen_lake_has_its_known_answers(lake: Card) -> None:
    assert lake.name == "FrozenLake 4x4"
    assert (lake.num_states, lake.num_actions, lake.horizon) == (16, 4, 100)
    assert lake.optimum["discounted"] == pytest.approx(0.5420259320, abs=1e-9)
    assert lake.optimum["total"] == pytest.approx(14 / 17, abs=1e-7)
    assert lake.optimum["finite_horizon"] == pytest.approx(0.7441902878, abs=1e-9)
    assert "average" not in lake.optimum  # episodes end
    assert set(lake.random) == set(lake.optimum)
    assert lake.observed
    assert lake.ladder == {}


def test_policy_values_and_actions_fit_each_other(lake: Card) -> None:
    for value, row, action, optimal in zip(
        lake.values, lake.q_values, lake.policy, lake.optimal_actions, strict=True
    ):
        if action == -1:
            assert value == 0.0
            assert not any(optimal)
        else:
            assert row[action] == pytest.approx(value, abs=1e-7)
            assert optimal[action]
            assert optimal.index(True) == action  # ties by the lowest


def test_a_continuing_table_has_a_gain_and_no_total() -> None:
    swim = card_of("bellglass/RiverSwim-v0", {"n": 20})
    assert swim.optimum["average"] == pytest.approx(3 / 7, abs=1e-6)
    assert "total" not in swim.optimum


def test_hidden_states_have_a_ladder_and_the_optimum_with_memory() -> None:
    maze = card_of("bellglass/TMaze-v0", {"N": 10})
    assert not maze.observed
    assert maze.optimum["discounted"] == pytest.approx(4 * 0.98**10, rel=1e-7)
    assert maze.ladder["reactive"] < maze.ladder["memory"] <= maze.ladder["observed"] + 1e-7


def test_a_card_goes_to_json_and_back_unchanged(lake: Card, tmp_path: Path) -> None:
    odd = replace(lake, name="a/b: ü", gap=float("inf"), hardness={"diameter": float("inf"), "min_gap": None})
    for card in (lake, odd):
        assert Card.from_json(card.to_json()) == card
    write_cards_folder = tmp_path
    (write_cards_folder / "cards").mkdir()
    write_cards(write_cards_folder, {card.name: card for card in (lake, odd)})
    assert load_cards(write_cards_folder) == {lake.name: lake, odd.name: odd}


def test_a_damaged_card_is_told(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "x.json").write_text('{"id": 3')
    with pytest.raises(ValueError, match=r"x\.json is damaged"):
        load_cards(tmp_path)


def test_different_names_make_different_files() -> None:
    names = [
        "a/b",
        "a b",
        "a%2Fb",
        "a:b",
        "ü",
        "..",
        "a",
        200 * "a",
        201 * "a",
        200 * "日",
        200 * "日" + "本",
    ]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert not any("/" in file for file in files)
    assert all(len(f".{file}.json.0123abcd.tmp".encode()) <= 255 for file in files)


def test_it_reads_as_text_with_arrows_on_the_map(lake: Card) -> None:
    text = str(lake)
    assert "bellglass/FrozenLake-v0 (map_name='4x4')" in text
    assert "16 states, 4 actions" in text
    assert "0.542025932" in text
    assert lake.fingerprint[:16] in text
    picture = lake.picture().splitlines()
    assert len(picture) == 4
    assert picture[1].replace(" ", "")[1] == "H"
    assert picture[3].replace(" ", "")[3] == "G"


def test_without_a_map_the_states_are_listed(lake: Card) -> None:
    lines = replace(lake, layout=None).picture().splitlines()
    assert len(lines) == 16


def test_a_card_that_is_stored_already_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_from(
        {
            "name": "x",
            "environments": [{"id": "bellglass/FrozenLake-v0", "steps": 1}],
            "agents": [{"class": "QLearning"}],
        }
    )
    cards = cards_for(suite)
    (tmp_path / "cards").mkdir()
    write_cards(tmp_path, cards)

    def refuse(*arguments: object, **keywords: object) -> None:
        raise LookupError("solved again")

    with monkeypatch.context() as patch:
        patch.setattr("bellglass.experiments.cards.making.card_of", refuse)
        assert cards_for(suite, tmp_path) == cards
        other = replace(suite, fingerprints={"FrozenLake": "0" * 64})
        with pytest.raises(LookupError, match="solved again"):
            cards_for(other, tmp_path)


def test_a_criterion_without_an_answer_is_a_mistake_of_the_suite() -> None:
    suite = suite_from(
        {
            "name": "x",
            "environments": [
                {"id": "bellglass/RiverSwim-v0", "steps": 1, "scoring": {"criterion": "total"}},
            ],
            "agents": [{"class": "QLearning"}],
        }
    )
    with pytest.raises(SuiteError, match=r"environments\[0\]\.scoring: "):
        cards_for(suite)


def test_bad_input_is_told() -> None:
    with pytest.raises(ValueError, match="needs a horizon"):
        card_of("bellglass/TMaze-v0", criterion="finite_horizon")
    with pytest.raises(ValueError, match="unknown environment; did you mean"):
        card_of("bellglass/FrozenLak-v0")


#: What every card in the terminal says, whatever it is of.
SAID = (
    "environment",
    "table",
    "time limit",
    "discounted",
    "1 % regret",
    "certified",
    "diameter",
    "mixing time",
    "bias span",
    "min gap",
    "sum inverse gaps",
    "effective horizon",
    "laidlaw horizon",
    "fingerprint",
)

ALL_IDS = [f"bellglass/{row.name}-v0" for row in ENVIRONMENTS]
HANDFUL = ("RiverSwim", "QueueAdmission", "Student", "RacingCar", "Hanoi", "LightMaze", "FromTable", "Maze")


def reads_well(card: Card) -> None:
    lines = str(card).splitlines()
    rows = dict(card.lines())
    assert not [what for what in SAID if not any(row.startswith(what) for row in rows)]
    text = [line for line in lines[: lines.index("")] if "known answer" not in line]
    assert all(len(line) <= 100 for line in text)
    assert not re.search(r"\b(nan|None)\b", " ".join(rows.values()))
    assert all(line == line.rstrip() for line in lines)
    hidden = "states are hidden" in rows["table"]
    assert hidden == (not card.observed) == ("information" in rows)
    for criterion, optimum in card.optimum.items():
        assert optimum >= card.random[criterion] - 1e-7 * max(1.0, abs(optimum))
    assert ("finite_horizon" in card.optimum) <= (card.horizon is not None)
    picture = card.picture().splitlines()
    assert picture
    assert "\n".join(picture) in "\n".join(line.removeprefix("    ") for line in lines)
    assert len(picture) <= 100
    assert max(map(len, picture)) <= 160
    assert Card.from_json(card.to_json()) == card


@pytest.mark.parametrize("name", HANDFUL)
def test_a_card_of_any_kind_reads_well(name: str) -> None:
    reads_well(card_of(f"bellglass/{name}-v0"))


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ALL_IDS)
def test_every_id_has_a_card_that_reads_well(env_id: str) -> None:
    card = card_of(env_id)
    reads_well(card)
    assert card.threshold == gym.spec(env_id).reward_threshold
    assert card.sources == (source_of(type(gym.make(env_id).unwrapped)),)


def test_known_answers_and_source_are_those_of_the_keywords() -> None:
    rows = card_of("bellglass/FrozenLake-v0", {"map_name": "8x8"}).lines()
    assert ("source", "Gymnasium, FrozenLake-v1, outcome for outcome.") in rows
    answers = [said for what, said in rows if what == "known answer"]
    assert answers == ["v*(start), discounted, discount 0.99: 0.4146403618 (computed by two methods)"]
    assert not any(what == "reward threshold" for what, _ in rows)  # it is of the default map


def test_letters_on_a_map_are_told() -> None:
    assert "an optimal policy (R reject, A admit):" in str(card_of("bellglass/QueueAdmission-v0"))


def test_a_measure_that_does_not_exist_says_why(lake: Card) -> None:
    odd = replace(
        lake,
        hardness={"diameter": float("inf"), "mixing_time": None, "bias_span": None, "min_gap": float("inf")},
        random={"discounted": float("-inf")},
    )
    rows = dict(odd.lines())
    assert rows["diameter"].startswith("infinite")
    assert rows["mixing time"] == "not computed beyond 6,000 states"
    assert rows["bias span"] == "not defined: the optimal gain depends on the state"
    assert rows["min gap"] == "none: every action is optimal"
    assert rows["1 % regret"].startswith("not defined")


def test_a_card_from_before_known_answers_is_still_read(lake: Card) -> None:
    old = json.loads(lake.to_json())
    del old["known"], old["threshold"]
    assert Card.from_json(json.dumps(old)) == replace(lake, known=(), threshold=None)
    with pytest.raises(ValueError, match="keys are not those of a card"):
        Card.from_json(json.dumps({**old, "colour": "red"}))


def test_gymnasiums_own_tables_have_cards_too() -> None:
    lake = card_of("FrozenLake-v1")
    assert lake.observed
    assert lake.optimum["finite_horizon"] == pytest.approx(0.7441902878, abs=1e-9)
    assert lake.threshold == gym.spec("FrozenLake-v1").reward_threshold
    assert lake.sources == ()  # none that we told


def test_what_lays_no_table_open_has_no_card() -> None:
    with pytest.raises(ValueError, match="CartPole-v1 has no card: it lays no table open"):
        card_of("CartPole-v1")
