"""Run the machine and the permutations for long, on fresh seeds: `make soak`."""

import os
import random
import sys
import time

from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.bugs import BUGS
from tests.proof.machine import Month, Town
from tests.proof.settings import QUICK
from tests.proof.test_order import any_order_ends_the_same
from tests.proof.test_seeded_bugs import find

#: So many histories a seed: some minutes, then another seed.
ROUND = settings(QUICK, derandomize=False, max_examples=200, stateful_step_count=60)
#: Without looking for a smaller example, which takes long: the seed gives it again.
LOOK = settings(ROUND, phases=[Phase.generate])


def main() -> None:
    for bug in BUGS:
        if bug.rare and not os.environ.get("SOAK_SEED"):
            print(f"put in: {bug.name}", flush=True)
            find(bug, settings(LOOK, derandomize=False, max_examples=2000))
    end = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "15"))
    chosen = os.environ.get("SOAK_SEED")
    chosen_settings = ROUND if chosen else LOOK
    rounds = 0
    while True:
        number = int(chosen) if chosen else random.SystemRandom().randrange(2**32)
        print(f"SOAK_SEED={number}", flush=True)
        for machine in (Town, Month):
            run_state_machine_as_test(seed(number)(machine), settings=chosen_settings)
        seed(number)(settings(chosen_settings)(any_order_ends_the_same()))()
        rounds += 1
        if chosen or time.monotonic() >= end:
            break
    print(f"{rounds} rounds of {ROUND.max_examples} histories: nothing found")


if __name__ == "__main__":
    sys.exit(main())
