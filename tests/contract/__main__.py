"""`python -m tests.contract`: runs the contract and its faults for every driver, and writes docs/contract.md."""

import sys

from tests.contract.fault import FAULTS, seen
from tests.contract.outcome import TESTS, Trial
from tests.contract.page import broken_table, fault_table, insert, outcome_table
from tests.platforms.test_contract import RIGS


def main() -> int:
    """Returns 1 where something failed; the page is written all the same, and says so."""
    outcomes = {(test, name): Trial(name).outcome(test) for test in TESTS for name in RIGS}
    failed = {place: outcome for place, outcome in outcomes.items() if outcome.state == "failed"}
    for place, outcome in failed.items():
        print(*place, outcome.text, file=sys.stderr)
    insert("outcomes", outcome_table(outcomes, RIGS))
    insert("broken", broken_table())
    platforms = [name for name in RIGS if name != "fake"]
    insert(
        "faults", fault_table({(fault, name): seen(name, fault) for fault in FAULTS for name in platforms}, platforms)
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
