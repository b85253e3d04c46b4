"""What the command line has said already, and whether the rest may be asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """The options of `serai setup`. `yes`: nothing is asked, what is not given is left to the defaults."""

    provider: str | None = None
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    api_key: str | None = None
    local: bool = False
    embedded: bool = False
    keep: bool = False
    agent: str | None = None
    persona: str | None = None
    test: bool = True
    yes: bool = False

    @property
    def names_endpoint(self) -> bool:
        return bool(self.provider or self.base_url)
