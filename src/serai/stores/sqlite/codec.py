"""Values to and from the columns that hold JSON documents."""

from typing import Final

import msgspec

from serai.core.decision import Decision
from serai.core.delivery import Button, Enclosure, Target
from serai.core.event import TurnEnded
from serai.core.message import InputBody, Message
from serai.core.source import Source

encode: Final = msgspec.json.Encoder().encode

decode_body: Final = msgspec.json.Decoder(InputBody).decode
decode_buttons: Final = msgspec.json.Decoder(tuple[Button, ...]).decode
decode_decision: Final = msgspec.json.Decoder(Decision).decode
decode_enclosure: Final = msgspec.json.Decoder(Enclosure).decode
decode_ended: Final = msgspec.json.Decoder(TurnEnded).decode
decode_message: Final = msgspec.json.Decoder(Message).decode
decode_source: Final = msgspec.json.Decoder(Source).decode
decode_target: Final = msgspec.json.Decoder(Target).decode
