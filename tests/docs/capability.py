"""The table of what each platform can do, made from the drivers themselves.

python -m tests.docs.capability      writes it into docs/platforms.md
"""

import asyncio
from typing import Final

from serai.app.platforms import Manifests
from serai.core.inbox import readable
from serai.ports.platform import Capabilities
from serai.web.driver import CAPABILITIES as WEB
from tests.docs.page import DOCS
from tests.platforms.test_contract import DRIVERS, loop_of, rig_of

BEGIN: Final = "<!-- made by `python -m tests.docs.capability` -->"
END: Final = "<!-- made until here -->"
_UNITS: Final = {"codepoint": "characters", "utf16": "UTF-16 units", "byte": "bytes"}
_HEAD: Final = (
    "platform",
    "longest text",
    "answers while they are written",
    "typing",
    "threads",
    "buttons",
    "takes files",
    "sends files",
    "a send is known again",
    "second login told",
)


def capabilities(name: str) -> Capabilities:
    """What a built-in driver declares."""

    async def look() -> Capabilities:
        async with rig_of(name)() as rig:
            return rig.platform.capabilities

    with asyncio.Runner(loop_factory=loop_of(name)) as runner:
        return runner.run(look())


def table() -> str:
    """The table, as it must stand in the docs."""
    rows = {Manifests()[name].TITLE: _cells(capabilities(name)) for name in DRIVERS} | {"Web chat": _web()}
    lines = [_line(_HEAD), _line(["---"] * len(_HEAD))]
    lines += [_line([title, *rows[title]]) for title in sorted(rows, key=str.casefold)]
    return "\n".join(lines)


def placed(text: str, made: str) -> str:
    """A page with the table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    return f"| {' | '.join(cells)} |"


def _cells(one: Capabilities) -> list[str]:
    growth = "in parts" if one.blocks else "no"
    if one.growth is not None:
        bounds = [f"every {one.growth.interval_s:g} s"]
        bounds += [f"{one.growth.edits_most} times"] if one.growth.edits_most is not None else []
        bounds += [f"for {one.growth.lifetime_s:g} s"] if one.growth.lifetime_s is not None else []
        growth = f"grow, {', '.join(bounds)}"
    return [
        f"{one.text_limit:,} {_UNITS[one.text_unit]}",
        growth,
        _yes(one.typing_s is not None),
        _yes(one.threads),
        _yes(one.buttons),
        _yes(one.fetches),
        f"up to {readable(one.enclosure_bytes)}" if one.enclosure_bytes is not None else "no",
        _yes(one.send_key),
        _yes(one.exclusive),
    ]


def _web() -> list[str]:
    """The web chat's page follows the turn itself, and brings pictures in the message."""
    length, _, _, threads, buttons, _, *rest = _cells(WEB)
    return [length, "word by word", "yes", threads, buttons, "pictures", *rest]


def _yes(known: bool) -> str:
    return "yes" if known else "no"


if __name__ == "__main__":
    page = DOCS / "platforms.md"
    page.write_text(placed(page.read_text(encoding="utf-8"), table()), encoding="utf-8")
