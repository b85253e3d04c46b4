"""Every command by its path: where it lives, and its one line of help.

Plain data, so that help costs nothing: no click, no dataclass, no typing in here.
"""

ABOUT: str = "One gateway process that hosts many isolated AI agents."

GROUPS: dict[str, str] = {
    "config": "Check and show the configuration",
    "agent": "List, show, add, remove, stop and start agents",
    "route": "List, add, remove and test routes",
    "cron": "List, add, change, run and preview jobs",
    "session": "List, show, search and export conversations",
    "delivery": "List deliveries, and send held ones again",
    "pair": "Admit strangers who were given a code",
    "model": "List models, and fetch the embedded one",
}

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("serai.cli.up:up", "Run the gateway"),
    "chat": ("serai.cli.chat.command:chat", "Talk to an agent"),
    "ask": ("serai.cli.ask:ask", "Ask an agent one question"),
    "send": ("serai.cli.send:send", "Send a text to chats"),
    "setup": ("serai.cli.setup.command:setup", "Choose a model, and begin a first agent"),
    "doctor": ("serai.cli.doctor.command:doctor", "Look for what is wrong, and how to mend it"),
    "status": ("serai.cli.status:status", "Tell how the running gateway is"),
    "usage": ("serai.cli.usage:usage", "Tell how many turns and tokens were used"),
    "logs": ("serai.cli.logs:logs", "Print the gateway's log"),
    "completion": ("serai.cli.shell:completion", "Print what makes a shell complete commands"),
    "reload": ("serai.cli.reload:reload", "Make the running gateway take over the changed configuration"),
    "config check": ("serai.cli.config_check:check", "Print every problem of the configuration"),
    "config show": ("serai.cli.config_show:show", "Print the configuration in force, defaults filled in"),
    "agent list": ("serai.cli.agent_list:list_agents", "List the agents"),
    "agent show": ("serai.cli.agent_show:show", "Show one agent: model, paths, routes, persona"),
    "agent add": ("serai.cli.agent_add:add", "Add an agent, or clone one"),
    "agent remove": ("serai.cli.agent_remove:remove", "Remove an agent; its home stays"),
    "agent stop": ("serai.cli.agent_switch:stop", "Stop an agent at once, until it is started again"),
    "agent start": ("serai.cli.agent_switch:start", "Let a stopped agent answer again"),
    "route list": ("serai.cli.route_list:list_routes", "List the routes in the order in which they are tried"),
    "route add": ("serai.cli.route_edit:add", "Add a route after the others"),
    "route remove": ("serai.cli.route_edit:remove", "Remove a route by its number"),
    "route test": ("serai.cli.route_test:test", "Tell which agent a message would reach, and why"),
    "cron list": ("serai.cli.cron.list:list_jobs", "List jobs, those that run next first"),
    "cron show": ("serai.cli.cron.show:show", "Show one job: what, when, and how it went"),
    "cron add": ("serai.cli.cron.add:add", "Add a job: what an agent is to do, and when"),
    "cron edit": ("serai.cli.cron.edit:edit", "Change a job by options, or in an editor"),
    "cron remove": ("serai.cli.cron.switch:remove", "Remove a job; what it has left stays"),
    "cron pause": ("serai.cli.cron.switch:pause", "Keep a job, but do not run it"),
    "cron resume": ("serai.cli.cron.switch:resume", "Let a paused job run again"),
    "cron run": ("serai.cli.cron.run:run", "Run a job now"),
    "cron history": ("serai.cli.cron.history:history", "List a job's runs, and print what they said"),
    "cron preview": ("serai.cli.cron_preview:preview", "Tell when a schedule is due next"),
    "cron adopt": ("serai.cli.cron.adopt:adopt", "Take over jobs that another gateway schedules"),
    "session list": ("serai.cli.session:list_sessions", "List conversations, the latest first"),
    "session show": ("serai.cli.session:show", "Print one conversation"),
    "session search": ("serai.cli.session_search:search", "Find messages by the words in them"),
    "session export": ("serai.cli.session_export:export", "Write one conversation as a document"),
    "delivery list": ("serai.cli.delivery.list:list_deliveries", "List what was or will be sent, the latest first"),
    "delivery retry": ("serai.cli.delivery.retry:retry", "Send a held or dead delivery again"),
    "pair list": ("serai.cli.pair:list_people", "List who was admitted by a code, and who asks to be"),
    "pair approve": ("serai.cli.pair:approve", "Admit the person who was told a code"),
    "pair revoke": ("serai.cli.pair:revoke", "Take an admission back"),
    "model list": ("serai.cli.model_list:list_models", "List the models in use, found and embedded"),
    "model pull": ("serai.cli.model_pull:pull", "Fetch the weights of the embedded model"),
}
"""Path -> (module:attribute of the click command, help)."""


def names(group: str) -> dict[str, str]:
    """What may follow `group` ("" is `serai` itself), with its line of help, in the order of the catalogue."""
    helps = {path: text for path, (_, text) in COMMANDS.items()} | GROUPS
    prefix = f"{group} " if group else ""
    found = {path.removeprefix(prefix): text for path, text in helps.items() if path.startswith(prefix)}
    return {name: text for name, text in found.items() if " " not in name}
