"""Logs and metrics. Label values come from closed sets; ids, keys and prompts are never labels."""

from __future__ import annotations

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_TALKATIVE = ("python_multipart", "uvicorn.error")
"""Libraries that warn of every malformed request: strangers could fill the disk with their lines."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def configure_logging(level: str) -> None:
    """Structured lines on standard error: readable on a terminal, JSON elsewhere.

    Raises:
        KeyError: Unknown level.
    """
    render: structlog.typing.Processor
    if sys.stderr.isatty():
        render = structlog.dev.ConsoleRenderer()
    else:
        render = structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


class Metrics:
    """The server's Prometheus metrics, in a registry of their own."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kinogate_http_requests_total",
            "HTTP requests answered.",
            ("dialect", "action", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "kinogate_http_request_duration_seconds",
            "Time to answer a request.",
            ("dialect", "action"),
            registry=self._registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
        )
        self._runs = Counter(
            "kinogate_engine_runs_total",
            "Runs of engines that have ended, by how.",
            ("engine", "outcome"),
            registry=self._registry,
        )
        self._run_seconds = Counter(
            "kinogate_engine_run_seconds_total",
            "Seconds that engines have run.",
            ("engine",),
            registry=self._registry,
        )
        self._running = Gauge(
            "kinogate_engine_running",
            "Runs of engines that go on now.",
            ("engine",),
            registry=self._registry,
        )
        info = Gauge("kinogate_build_info", "Always 1.", ("version",), registry=self._registry)
        info.labels(version).set(1)

    def request(self, dialect: str, action: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(dialect, action, str(status)).inc()
        self._seconds.labels(dialect, action).observe(seconds)

    def run_began(self, engine: str) -> None:
        """Count a run that has got its seat at an engine."""
        self._running.labels(engine).inc()

    def run_ended(self, engine: str, outcome: str, seconds: float) -> None:
        """Count its end: `succeeded`, `canceled`, or an error's code."""
        self._running.labels(engine).dec()
        self._runs.labels(engine, outcome).inc()
        self._run_seconds.labels(engine).inc(seconds)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)
