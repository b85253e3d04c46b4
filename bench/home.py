"""A SERAI_HOME for a benchmark: configuration and secrets as files (SPEC 2.3, 2.5, 16.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

API_KEY = "fake-key-bench"
MODEL_KEY = "fake-key-model"
AUTHORIZATION = {"Authorization": f"Bearer {API_KEY}"}


@dataclass(frozen=True, slots=True)
class Home:
    """How large the configuration is. With `own_models`, agent a7 asks for model m-a7, so that the stub sees
    who answered. Route number i sends chat c<i> of the API to one of the agents, in turn.
    """

    agents: int = 1
    routes: int = 0
    own_models: bool = False

    def agent(self, number: int) -> str:
        """The id of an agent, counted from 0."""
        return f"a{number % self.agents + 1}"

    def models(self) -> set[str]:
        """The model names that the stub sees when every agent has had a turn."""
        return {f"m-{self.agent(number)}" for number in range(self.agents)} if self.own_models else {"bench"}

    def write(self, path: Path, port: int, upstream: str) -> None:
        """Make the directory `path` with config.yaml and .env; `upstream` is the model's base URL."""
        path.mkdir(mode=0o700)
        (path / "config.yaml").write_text(self._config(port, upstream))
        secrets = path / ".env"
        secrets.touch(mode=0o600)
        secrets.write_text(f"BENCH_API_KEY={API_KEY}\nBENCH_MODEL_KEY={MODEL_KEY}\n")

    def _config(self, port: int, upstream: str) -> str:
        lines = [
            f"model: {{name: bench, provider: openai, base_url: '{upstream}', api_key_env: BENCH_MODEL_KEY}}",
            "default_agent: a1",
            "api_server:",
            "  host: 127.0.0.1",
            f"  port: {port}",
            "  keys:",
            "    - {name: bench, key_env: BENCH_API_KEY, agents: '*', admin: true}",
            "agents:",
        ]
        for number in range(self.agents):
            agent = self.agent(number)
            lines.append(f"  {agent}: {{model: m-{agent}}}" if self.own_models else f"  {agent}: {{}}")
        if self.routes:
            lines.append("routes:")
        for number in range(self.routes):
            match = f"{{platform: api_server, chat_id: c{number}}}"
            lines.append(f"  - {{match: {match}, agent: {self.agent(number)}}}")
        return "\n".join(lines) + "\n"
