"""The meter as Prometheus text (SPEC 11.6)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serai.gateway.connection.switchboard import Switchboard
from serai.gateway.meter import Meter
from serai.gateway.schedule.jobs import Jobs


class MeterCollector(Collector):
    """Reads the plain numbers when Prometheus asks, so that counting costs a turn nothing but an addition."""

    def __init__(
        self,
        meter: Meter,
        in_flight: Callable[[], int],
        switchboard: Switchboard,
        jobs: Jobs,
    ) -> None:
        self._meter = meter
        self._in_flight = in_flight
        self._switchboard = switchboard
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        meter = self._meter
        yield _counter("serai_messages_accepted", "Messages stored.", ["agent", "platform"], meter.accepted)
        yield _counter("serai_messages_refused", "Messages refused.", ["code"], _single(meter.refused))
        yield _counter("serai_messages_duplicate", "Copies of stored messages.", [], {(): meter.duplicates})
        yield _counter("serai_turns", "Turns that ended.", ["agent", "end"], meter.turns)
        yield _counter("serai_turn_seconds", "Time spent in turns.", ["agent"], _single(meter.turn_seconds))
        yield _counter("serai_tokens", "Tokens that models reported.", ["agent", "direction"], meter.tokens)
        yield _counter("serai_deliveries", "Attempts to deliver.", ["platform", "state"], meter.deliveries)
        yield _counter("serai_job_runs", "Runs of jobs that ended, and missed ones.", ["agent", "end"], meter.jobs)
        yield _counter(
            "serai_job_undelivered",
            "Targets of jobs that nothing could be sent to.",
            ["agent"],
            _single(meter.undelivered),
        )
        yield _counter("serai_fenced", "Writes of replaced workers that were refused.", [], {(): meter.fenced})
        yield GaugeMetricFamily("serai_turns_in_flight", "Turns that run now.", self._in_flight())
        yield GaugeMetricFamily(
            "serai_event_loop_stall_seconds_max",
            "The longest time for which the event loop was late since the start.",
            meter.stall_seconds_max,
        )
        up = GaugeMetricFamily("serai_connection_up", "Whether an account is connected.", labels=["account"])
        for connection in self._switchboard.connections():
            up.add_metric([str(connection.account)], float(connection.state == "running"))
        yield up
        jobs = GaugeMetricFamily("serai_jobs", "Jobs by where they stand.", labels=["agent", "state"])
        for (agent, state), count in self._jobs.counts().items():
            jobs.add_metric([agent, state], count)
        yield jobs
        damaged = GaugeMetricFamily("serai_jobs_damaged", "Whether a jobs file is damaged.", labels=["agent"])
        for agent, damage in self._jobs.damages().items():
            damaged.add_metric([agent], float(damage is not None))
        yield damaged


def renderer(collector: MeterCollector) -> Callable[[], bytes]:
    """A function that gives the whole page."""
    registry = CollectorRegistry()
    registry.register(collector)
    return lambda: generate_latest(registry)


def _single(values: Mapping[str, float]) -> Mapping[tuple[str, ...], float]:
    return {(key,): value for key, value in values.items()}


def _counter(name: str, text: str, labels: list[str], values: Mapping[Any, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for names, value in values.items():
        family.add_metric(list(names), value)
    return family
