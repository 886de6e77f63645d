"""Loops that numba compiles.  Each does what the readable road does, in the same order, to the same bits.

A kernel is one plain function of this module that calls no other (`compiled.py` tells why).  It draws from the
environment's own generator exactly as `bellglass.envs.mdp.TableWalker` says, and from the learner's as
`TabularLearner.select_action` does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def q_learning_steps(
    steps: int,
    state: int,
    over: bool,
    elapsed: int,
    limit: int,
    discount: float,
    epsilons: FloatArray,
    step_sizes: FloatArray,
    q_values: FloatArray,
    visits: IntArray,
    available: BoolArray,
    seen: BoolArray,
    first_outcome: IntArray,
    cumulative_probability: FloatArray,
    next_state: npt.NDArray[np.int32] | IntArray,
    reward: FloatArray,
    terminated: BoolArray,
    cumulative_initial: FloatArray,
    action_mask: BoolArray,
    env_rng: np.random.Generator,
    rng: np.random.Generator,
) -> tuple[int, int, bool, int, int]:
    """Up to `steps` steps of Q-learning on a table.

    Args:
        steps: how many.
        state: where the environment stands.
        over: whether the episode has ended, so that the environment is reset before the next step.
        elapsed: steps of the episode so far.
        limit: elapsed steps that truncate; 0 for none.
        discount: weight of the value one step later.
        epsilons: [steps] or [1] the exploration rate of each step.
        step_sizes: [at least every visit count met] or [1] the step size at the n-th update, from n = 1.
        q_values: [S, A] changed in place, as are `visits` [S, A], `available` [S, A] and `seen` [S].
        visits: updates of each pair.
        available: the masks that the learner has seen.
        seen: the states whose mask it has seen.
        first_outcome: of the table, as are the arrays that follow.
        cumulative_probability: [N].
        next_state: [N].
        reward: [N].
        terminated: [N].
        cumulative_initial: [S].
        action_mask: [S, A].
        env_rng: the environment's generator.
        rng: the learner's generator.

    Returns:
        Steps taken (fewer if a terminal state was entered unterminated: only the environment knows what a step
        there does), state, over, elapsed, episodes ended.
    """
    num_states, num_actions = q_values.shape
    actions = np.empty(num_actions, dtype=np.int64)
    episodes = 0
    for t in range(steps):
        if over:
            u = env_rng.random()
            low, high = 0, num_states - 1
            while low < high:
                middle = (low + high) // 2
                if cumulative_initial[middle] > u:
                    high = middle
                else:
                    low = middle + 1
            state, over, elapsed = low, False, 0
            if not seen[state]:
                seen[state] = True
                available[state] = action_mask[state]

        # Epsilon-greedy, ties at random.
        count = 0
        for a in range(num_actions):
            if available[state, a]:
                actions[count] = a
                count += 1
        if count == 0:
            return t, state, over, elapsed, episodes
        if rng.random() < epsilons[min(t, len(epsilons) - 1)]:
            action = actions[int(rng.random() * count)]
        else:
            highest = q_values[state, actions[0]]
            for k in range(1, count):
                highest = max(highest, q_values[state, actions[k]])
            best = 0
            for k in range(count):
                if q_values[state, actions[k]] == highest:
                    actions[best] = actions[k]
                    best += 1
            action = actions[0] if best == 1 else actions[int(rng.random() * best)]

        # The environment's step.
        u = env_rng.random()
        low, high = (
            first_outcome[state * num_actions + action],
            first_outcome[state * num_actions + action + 1] - 1,
        )
        while low < high:
            middle = (low + high) // 2
            if cumulative_probability[middle] > u:
                high = middle
            else:
                low = middle + 1
        after = int(next_state[low])
        if not seen[after]:
            seen[after] = True
            available[after] = action_mask[after]

        # The update.
        next_value = 0.0
        if not terminated[low]:
            first = True
            for a in range(num_actions):
                if available[after, a] and (first or q_values[after, a] > next_value):
                    next_value = q_values[after, a]
                    first = False
        td_error = reward[low] + discount * next_value - q_values[state, action]
        visits[state, action] += 1
        step_size = step_sizes[min(visits[state, action], len(step_sizes)) - 1]
        q_values[state, action] += step_size * td_error

        state = after
        elapsed += 1
        over = terminated[low] or (limit > 0 and elapsed >= limit)
        if over:
            episodes += 1
    return steps, state, over, elapsed, episodes
