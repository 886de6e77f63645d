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
    """One id: bellglass/{name}, made by {module}:{name}, many of it by {module}:{vector}."""

    name: str
    module: str
    vector: str
    max_episode_steps: int | None = None


ENVIRONMENTS = (
    Row("Grid4x4", "grids.grid_4x4", "grid_4x4_vector"),
    Row("Grid5x5", "grids.grid_5x5", "grid_5x5_vector", CONTINUING),
    Row("RussellNorvig", "grids.russell_norvig", "russell_norvig_vector"),
    Row("BookGrid", "grids.cs188", "book_grid_vector"),
    Row("BridgeGrid", "grids.cs188", "bridge_grid_vector"),
    Row("FrozenLake", "grids.frozen_lake", "frozen_lake_vector", 100),
    Row("CliffWalking", "grids.cliff_walking", "cliff_walking_vector"),
    Row("WindyGrid", "grids.windy_grid", "windy_grid_vector"),
    Row("Maze", "grids.maze", "maze_vector"),
    Row("FourRooms", "grids.four_rooms", "four_rooms_vector"),
    Row("Taxi", "grids.taxi", "taxi_vector", 200),
    Row("FickleTaxi", "grids.fickle_taxi", "fickle_taxi_vector", 200),
    Row("Racetrack", "grids.racetrack", "racetrack_vector", 500),
    Row("Map", "grids.map", "map_vector", CONTINUING),
    Row("RiverSwim", "exploration.river_swim", "river_swim_vector", CONTINUING),
    Row("SixArms", "exploration.six_arms", "six_arms_vector", CONTINUING),
    Row("NChain", "exploration.n_chain", "n_chain_vector", CONTINUING),
    Row("Loop", "exploration.loop", "loop_vector", CONTINUING),
    Row("DeepSea", "exploration.deep_sea", "deep_sea_vector"),
    Row(
        "TwoStateLowerBound",
        "exploration.two_state_lower_bound",
        "two_state_lower_bound_vector",
        CONTINUING,
    ),
    Row("CombinationLock", "exploration.combination_lock", "combination_lock_vector"),
    Row("DiscountingChain", "exploration.discounting_chain", "discounting_chain_vector"),
    Row("ForestManagement", "operations.forest_management", "forest_management_vector", CONTINUING),
    Row("MachineMaintenance", "operations.machine_maintenance", "machine_maintenance_vector", CONTINUING),
    Row("HowardTaxicab", "operations.howard", "howard_taxicab_vector", CONTINUING),
    Row("HowardToymaker", "operations.howard", "howard_toymaker_vector", CONTINUING),
    Row("PutermanInventory", "operations.puterman_inventory", "puterman_inventory_vector", CONTINUING),
    Row("Inventory", "operations.inventory", "inventory_vector", CONTINUING),
    Row("QueueAdmission", "operations.queue_admission", "queue_admission_vector", CONTINUING),
    Row("AccessControl", "operations.access_control", "access_control_vector", CONTINUING),
    Row("JacksCarRental", "operations.jacks_car_rental", "jacks_car_rental_vector", CONTINUING),
    Row("Gambler", "operations.gambler", "gambler_vector"),
    Row("RecyclingRobot", "operations.recycling_robot", "recycling_robot_vector", CONTINUING),
    Row("BusEngine", "operations.bus_engine", "bus_engine_vector", CONTINUING),
    Row("Blackjack", "games.blackjack", "blackjack_vector"),
    Row("TicTacToe", "games.tic_tac_toe", "tic_tac_toe_vector"),
    Row("Hanoi", "games.hanoi", "hanoi_vector"),
    Row("SlidingPuzzle", "games.sliding_puzzle", "sliding_puzzle_vector"),
    Row("Secretary", "games.secretary", "secretary_vector"),
    Row("DieStopping", "games.die_stopping", "die_stopping_vector"),
    Row("RedBlackCards", "games.red_black_cards", "red_black_cards_vector"),
    Row("Parking", "games.parking", "parking_vector"),
    Row("Piglet", "games.piglet", "piglet_vector"),
    Row("Catch", "games.catch", "catch_vector"),
    Row("RandomWalk", "courses.random_walk", "random_walk_vector"),
    Row("BoyanChain", "courses.boyan_chain", "boyan_chain_vector"),
    Row("PutermanTwoState", "courses.puterman_two_state", "puterman_two_state_vector", CONTINUING),
    Row("Student", "courses.student", "student_vector"),
    Row("DiceGame", "courses.dice_game", "dice_game_vector"),
    Row("Tram", "courses.tram", "tram_vector"),
    Row("RacingCar", "courses.racing_car", "racing_car_vector"),
    Row("TMaze", "memory.t_maze", "t_maze_vector"),
    Row("Tiger", "memory.tiger", "tiger_vector", CONTINUING),
    Row("CryingBaby", "memory.crying_baby", "crying_baby_vector", CONTINUING),
    Row("MiniHallway", "memory.mini_hallway", "mini_hallway_vector", CONTINUING),
    Row("CheeseMaze", "memory.cheese_maze", "cheese_maze_vector", CONTINUING),
    Row("Shuttle", "memory.shuttle", "shuttle_vector", CONTINUING),
    Row("LightMaze", "memory.light_maze", "light_maze_vector"),
    Row("MemoryChain", "memory.memory_chain", "memory_chain_vector"),
    Row("UmbrellaChain", "memory.umbrella_chain", "umbrella_chain_vector"),
    Row("RepeatPrevious", "memory.repeat_previous", "repeat_previous_vector"),
    Row("BernoulliBandit", "memory.bernoulli_bandit", "bernoulli_bandit_vector"),
    Row("Garnet", "synthetic.garnet", "garnet_vector", CONTINUING),
    Row("Knobs", "synthetic.knobs", "knobs_vector", CONTINUING),
    Row("FromTable", "synthetic.from_table", "from_table_vector", CONTINUING),
)


def register_envs() -> None:
    """Registers every id once; calling again changes nothing."""
    for row in ENVIRONMENTS:
        env_id = f"{NAMESPACE}/{row.name}-v0"
        if env_id not in gym.registry:
            gym.register(
                env_id,
                entry_point=f"{__package__}.{row.module}:{row.name}",
                vector_entry_point=f"{__package__}.{row.module}:{row.vector}",
                max_episode_steps=row.max_episode_steps,
                reward_threshold=THRESHOLDS.get(row.name),
            )
