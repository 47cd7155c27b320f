"""Hypothesis profiles: `ci` says the same every time; REMANENCE_HYPOTHESIS=hunt looks for new failures for long."""

import os

from hypothesis import HealthCheck, settings

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("ci", derandomize=True, database=None, max_examples=100, **COMMON)
settings.register_profile("hunt", max_examples=5_000, **COMMON)
settings.load_profile(os.environ.get("REMANENCE_HYPOTHESIS", "ci"))
