"""How the proof is run by the suite: the same examples each time, so that it never wavers, and few:
`make soak` looks for long."""

from hypothesis import HealthCheck, settings

QUICK = settings(
    max_examples=30,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
