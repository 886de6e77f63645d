"""The ids by which `gymnasium.make` finds the environments of this package.

One row an id; `import bellglass` registers them all (Gymnasium 1.0 dropped its plugin entry points, so an
import is the whole mechanism; `gym.make("bellglass:bellglass/TMaze-v0")` imports by itself).
"""

from __future__ import annotations

from typing import NamedTuple

import gymnasium as gym

from .thresholds import THRESHOLDS

NAMESPACE = "bellglass"

#: Steps after which an episode of a table without an end is truncated.
CONTINUING = 1000


class Row(NamedTuple):
    """One id: bellglass/{name}-v0, made by the class {name} of the module, which begins with its family's folder."""

    name: str
    module: str
    max_episode_steps: int | None = None


ENVIRONMENTS = (
    Row("Grid4x4", "grids.grid_4x4"),
    Row("Grid5x5", "grids.grid_5x5", CONTINUING),
    Row("RussellNorvig", "grids.russell_norvig"),
    Row("BookGrid", "grids.cs188"),
    Row("BridgeGrid", "grids.cs188"),
    Row("FrozenLake", "grids.frozen_lake", 100),
    Row("CliffWalking", "grids.cliff_walking"),
    Row("WindyGrid", "grids.windy_grid"),
    Row("Maze", "grids.maze"),
    Row("FourRooms", "grids.four_rooms"),
    Row("Taxi", "grids.taxi", 200),
    Row("FickleTaxi", "grids.fickle_taxi", 200),
    Row("Racetrack", "grids.racetrack", 500),
    Row("Map", "grids.map", CONTINUING),
    Row("RiverSwim", "exploration.river_swim", CONTINUING),
    Row("SixArms", "exploration.six_arms", CONTINUING),
    Row("NChain", "exploration.n_chain", CONTINUING),
    Row("Loop", "exploration.loop", CONTINUING),
    Row("DeepSea", "exploration.deep_sea"),
    Row("TwoStateLowerBound", "exploration.two_state_lower_bound", CONTINUING),
    Row("CombinationLock", "exploration.combination_lock"),
    Row("DiscountingChain", "exploration.discounting_chain"),
    Row("ForestManagement", "operations.forest_management", CONTINUING),
    Row("MachineMaintenance", "operations.machine_maintenance", CONTINUING),
    Row("HowardTaxicab", "operations.howard", CONTINUING),
    Row("HowardToymaker", "operations.howard", CONTINUING),
    Row("PutermanInventory", "operations.puterman_inventory", CONTINUING),
    Row("Inventory", "operations.inventory", CONTINUING),
    Row("QueueAdmission", "operations.queue_admission", CONTINUING),
    Row("AccessControl", "operations.access_control", CONTINUING),
    Row("JacksCarRental", "operations.jacks_car_rental", CONTINUING),
    Row("Gambler", "operations.gambler"),
    Row("RecyclingRobot", "operations.recycling_robot", CONTINUING),
    Row("BusEngine", "operations.bus_engine", CONTINUING),
    Row("Blackjack", "games.blackjack"),
    Row("TicTacToe", "games.tic_tac_toe"),
    Row("Hanoi", "games.hanoi"),
    Row("SlidingPuzzle", "games.sliding_puzzle"),
    Row("Secretary", "games.secretary"),
    Row("DieStopping", "games.die_stopping"),
    Row("RedBlackCards", "games.red_black_cards"),
    Row("Parking", "games.parking"),
    Row("Piglet", "games.piglet"),
    Row("Catch", "games.catch"),
    Row("RandomWalk", "courses.random_walk"),
    Row("BoyanChain", "courses.boyan_chain"),
    Row("PutermanTwoState", "courses.puterman_two_state", CONTINUING),
    Row("Student", "courses.student"),
    Row("DiceGame", "courses.dice_game"),
    Row("Tram", "courses.tram"),
    Row("RacingCar", "courses.racing_car"),
    Row("TMaze", "memory.t_maze"),
    Row("Tiger", "memory.tiger", CONTINUING),
    Row("CryingBaby", "memory.crying_baby", CONTINUING),
    Row("MiniHallway", "memory.mini_hallway", CONTINUING),
    Row("CheeseMaze", "memory.cheese_maze", CONTINUING),
    Row("Shuttle", "memory.shuttle", CONTINUING),
    Row("LightMaze", "memory.light_maze"),
    Row("MemoryChain", "memory.memory_chain"),
    Row("UmbrellaChain", "memory.umbrella_chain"),
    Row("RepeatPrevious", "memory.repeat_previous"),
    Row("BernoulliBandit", "memory.bernoulli_bandit"),
    Row("Garnet", "synthetic.garnet", CONTINUING),
    Row("Knobs", "synthetic.knobs", CONTINUING),
    Row("FromTable", "synthetic.from_table", CONTINUING),
)


def register_envs() -> None:
    """Registers every id once; calling again changes nothing."""
    for row in ENVIRONMENTS:
        env_id = f"{NAMESPACE}/{row.name}-v0"
        if env_id not in gym.registry:
            gym.register(
                env_id,
                entry_point=f"{__package__}.{row.module}:{row.name}",
                vector_entry_point=f"{__package__}.vector.entry_points:{row.name}",
                max_episode_steps=row.max_episode_steps,
                reward_threshold=THRESHOLDS.get(row.name),
            )
