"""Everything that the API serves (SPEC 11).

What every client needs is imported with the gateway. The rest is in areas, each a function below with its imports in
its body: many a gateway is never asked for them, and would pay for them at every start. A new resource is a line in
here; a new area is a function, and a line in the catalogue.
"""

from collections.abc import Sequence
from functools import partial

from serai.api.completion.resource import Chat
from serai.api.models import Models
from serai.api.operator.health import Health, Metrics
from serai.api.path import Area, Resource
from serai.api.platform import Platforms
from serai.api.services import Services


def catalogue(services: Services) -> Sequence[Resource | Area]:
    """Everything, in the order in which the document tells it."""
    health, models, platforms = Health(services), Models(services.clock), Platforms(services.endpoint)
    told: list[Resource | Area] = [
        Resource("/v1/chat/completions", {"POST": Chat(services.runs).complete}),
        Area(["/v1/responses", "/v1/conversations"], partial(_responses, services)),
        Area(["/v1/runs"], partial(_runs, services)),
        Resource("/v1/models", {"GET": models.all}),
        Resource("/v1/models/{id}", {"GET": models.one}),
        Area(["/api/routes", "/api/reload"], partial(_operation, services)),
        Area(["/api/sessions"], partial(_sessions, services)),
        Area(["/api/deliveries", "/api/usage"], partial(_records, services)),
        Area(["/api/jobs"], partial(_jobs, services)),
        Area(["/api/events"], partial(_events, services)),
        Area(["/api/agents"], partial(_agents, services)),
        Resource("/health", {"GET": health.live}, guard="none"),
        Resource("/ready", {"GET": health.ready}, guard="probe"),
        Area(["/metrics"], partial(_metrics, services)),
        Resource("/{platform}/{account}", {"POST": platforms.receive}, guard="none", exists=platforms.known),
    ]
    return [*told, Area(["/openapi.json"], partial(_description, told))]


def _responses(services: Services) -> Sequence[Resource]:
    from serai.api.response.conversation import ConversationResource
    from serai.api.response.resource import ResponseResource

    conversation = ConversationResource(services.conversations, services.lasting, services.clock, services.entropy)
    response = ResponseResource(services.runs, services.lasting, conversation.find, services.clock)
    return [
        Resource("/v1/responses", {"POST": response.create}),
        Resource("/v1/responses/{id}", {"GET": response.one, "DELETE": response.delete}),
        Resource("/v1/responses/{id}/cancel", {"POST": response.cancel}),
        Resource("/v1/responses/{id}/input_items", {"GET": response.input_items}),
        Resource("/v1/conversations", {"POST": conversation.create}),
        Resource(
            "/v1/conversations/{id}",
            {"GET": conversation.one, "POST": conversation.update, "DELETE": conversation.delete},
        ),
        Resource("/v1/conversations/{id}/items", {"GET": conversation.items, "POST": conversation.add}),
        Resource("/v1/conversations/{id}/items/{item}", {"GET": conversation.item, "DELETE": conversation.remove}),
    ]


def _runs(services: Services) -> Sequence[Resource]:
    from serai.api.run.resource import RunResource

    run = RunResource(services.lasting, services.approvals)
    return [
        Resource("/v1/runs", {"POST": run.begin}),
        Resource("/v1/runs/{id}", {"GET": run.one}),
        Resource("/v1/runs/{id}/events", {"GET": run.events}),
        Resource("/v1/runs/{id}/stop", {"POST": run.stop}),
        Resource("/v1/runs/{id}/approval", {"POST": run.approve}),
    ]


def _operation(services: Services) -> Sequence[Resource]:
    from serai.api.operator.operate import Operate
    from serai.api.operator.routing import RouteTest

    return [
        Resource("/api/routes/test", {"POST": RouteTest(services.explain).answer}),
        Resource("/api/reload", {"POST": Operate(services).reload}),
    ]


def _sessions(services: Services) -> Sequence[Resource]:
    from serai.api.session.chat import SessionChat
    from serai.api.session.resource import Sessions

    sessions = Sessions(services.archive, services.sessions)
    chat = SessionChat(sessions, services.runs)
    return [
        Resource("/api/sessions", {"GET": sessions.list}),
        Resource("/api/sessions/{id}", {"GET": sessions.one, "PATCH": sessions.patch, "DELETE": sessions.delete}),
        Resource("/api/sessions/{id}/messages", {"GET": sessions.messages}),
        Resource("/api/sessions/{id}/fork", {"POST": sessions.fork}),
        Resource("/api/sessions/{id}/chat", {"POST": chat.say}),
    ]


def _records(services: Services) -> Sequence[Resource]:
    from serai.api.operator.deliveries import Deliveries
    from serai.api.operator.usage import Usages

    deliveries = Deliveries(services.archive, services.retry, services.send, services.clock)
    usages = Usages(services.archive, services.clock)
    return [
        Resource("/api/deliveries", {"GET": deliveries.list, "POST": deliveries.send}),
        Resource("/api/deliveries/{id}", {"GET": deliveries.one}),
        Resource("/api/deliveries/{id}/retry", {"POST": deliveries.again}),
        Resource("/api/usage", {"GET": usages.list}),
    ]


def _jobs(services: Services) -> Sequence[Resource]:
    from serai.api.job.resource import JobResource
    from serai.api.job.run import JobRunResource
    from serai.api.job.schedule import JobSchedules

    job, run = JobResource(services.jobs, services.check_job, services.entropy), JobRunResource(services.jobs)
    schedules = JobSchedules(services.jobs, services.clock)
    return [
        Resource("/api/jobs", {"GET": job.list, "POST": job.create}),
        Resource("/api/jobs/preview", {"POST": schedules.preview}),
        Resource("/api/jobs/adopt", {"POST": schedules.adopt}),
        Resource("/api/jobs/{id}", {"GET": job.one, "PATCH": job.patch, "DELETE": job.delete}),
        Resource("/api/jobs/{id}/pause", {"POST": job.pause}),
        Resource("/api/jobs/{id}/resume", {"POST": job.resume}),
        Resource("/api/jobs/{id}/run", {"POST": run.run}),
        Resource("/api/jobs/{id}/runs", {"GET": run.list}),
        Resource("/api/jobs/{id}/runs/{run}", {"GET": run.one}),
    ]


def _events(services: Services) -> Sequence[Resource]:
    from serai.api.operator.events import Events

    return [Resource("/api/events", {"GET": Events(services.activity).stream})]


def _agents(services: Services) -> Sequence[Resource]:
    from serai.api.operator.agents import Agents
    from serai.api.operator.operate import Operate

    agents, operate = Agents(), Operate(services)
    return [
        Resource("/api/agents", {"GET": agents.all}),
        Resource("/api/agents/{id}", {"GET": agents.one}),
        Resource("/api/agents/{id}/stop", {"POST": operate.stop}),
        Resource("/api/agents/{id}/start", {"POST": operate.start}),
    ]


def _metrics(services: Services) -> Sequence[Resource]:
    return [Resource("/metrics", {"GET": Metrics(services.metrics()).all})]


def _description(told: Sequence[Resource | Area]) -> Sequence[Resource]:
    from serai.api.operator.openapi import Description

    resources = [one for entry in told for one in (entry.resources if isinstance(entry, Area) else [entry])]
    return [Resource("/openapi.json", {"GET": Description(resources).answer}, guard="host")]
