"""Settings of an IRC account. The keys that all accounts share are added by Serai."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_HOST: Final = re.compile(r"[A-Za-z0-9._:-]+")
_NICK: Final = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]*")  # RFC 2812, 2.3.1
_CHANNEL: Final = re.compile(r"[#&+!][^\s,\x00\x07]+")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

KnownBy = Literal["nick", "account", "host"]
"""What a person's id is: the nick, the account at the network's services, or `user@host`."""


def _fitting(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(what)
        return text

    return AfterValidator(check)


_VARIABLE_NAME: Final = _fitting(
    _VARIABLE, "must be the NAME of a variable (letters, digits, `_`), never the password itself"
)
Channel = Annotated[str, _fitting(_CHANNEL, "must be the name of a channel, such as #serai")]


class IrcConfig(BaseModel):
    """Where to connect, as whom, and which channels to join. `line_interval_s`: seconds per line that is sent, once
    the first four have gone out at once."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    server: Annotated[
        str, _fitting(_HOST, "must be a host name or an address"), Field(description="The server's host")
    ]
    nick: Annotated[
        str, _fitting(_NICK, "must be a nick: letters, digits, []\\`_^{|}-"), Field(description="The bot's nick")
    ]
    known_by: Annotated[KnownBy, Field(description="How people are known: nick, account or host")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: bool = True
    ca_file: str | None = None
    password_env: Annotated[str, _VARIABLE_NAME] | None = Field(
        default=None, description="The server's password (empty: none)"
    )
    channels: tuple[Channel, ...] = ()
    line_interval_s: Annotated[float, Field(ge=0, le=60)] = 2.0

    @model_validator(mode="after")
    def _safe(self) -> "IrcConfig":
        if not self.tls and self.ca_file is not None:
            raise ValueError("`ca_file` has no use without `tls`")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; IRC's own ports where none is set."""
        return self.server, self.port or (6697 if self.tls else 6667)
