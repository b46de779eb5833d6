"""How the proof is run by the suite: the same examples each time, so that it never wavers."""

from hypothesis import HealthCheck, settings

QUICK = settings(
    max_examples=80,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
