"""Counters of the service, as OpenMetrics; of all workers together where there are several."""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.openmetrics import exposition as openmetrics

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
MEDIA_TYPE: str = openmetrics.CONTENT_TYPE_LATEST
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where workers share their counters

REQUESTS = Counter("pozytywka_requests", "Requests answered", ("method", "route", "status"))
SECONDS = Histogram("pozytywka_request_seconds", "Time to answer a request", ("route",), buckets=BUCKETS)
ANSWERS = Counter("pozytywka_answers", "Predictions made", ("family", "variant"))
EVENTS = Counter("pozytywka_events", "Events logged")
EXPOSURES = Counter("pozytywka_exposures", "Exposures of experiments logged")


def exposition() -> bytes:
    """Return all figures as text."""
    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call, no-any-return]
