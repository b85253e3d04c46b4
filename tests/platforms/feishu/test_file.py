"""Files, both ways."""

from pathlib import Path

import pytest

from serai.core.delivery import Enclosure
from serai.core.error import FetchFailed, SendPermanent
from serai.core.message import Attachment
from serai.platforms.feishu import api
from serai.testing.clock import virtual_time
from tests.platforms.feishu.rig import rig
from tests.platforms.feishu.stage import delivery


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("a.png", "image/png", "image"),
        ("a.svg", "image/svg+xml", "file"),
        ("a.pdf", "application/pdf", "file"),
        ("a.mp4", "video/mp4", "media"),
        ("a.opus", "audio/opus", "audio"),
        ("ä bin", "application/octet-stream", "file"),
    ],
)
@virtual_time
async def test_a_file_is_uploaded_and_shown_as_what_it_is(
    tmp_path: Path, name: str, media_type: str, kind: str
) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"\x00bytes")
    async with rig() as feishu:
        await feishu.platform.send(delivery("", enclosure=Enclosure(str(path), name, media_type)))
        (posted,) = feishu.peer.world.posted
        assert (posted.kind, posted.enclosure) == (kind, b"\x00bytes")


@virtual_time
async def test_a_picture_stands_under_its_text_in_one_message(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"png")
    async with rig() as feishu:
        await feishu.platform.send(delivery("Look:", enclosure=Enclosure(str(path), "a.png", "image/png")))
        assert [(seen.text, seen.enclosure) for seen in feishu.seen] == [("Look:", b"png")]


@pytest.mark.parametrize("data", [None, b"", b"x" * (30 * 1024 * 1024 + 1)], ids=["gone", "empty", "too large"])
@virtual_time
async def test_a_file_that_cannot_be_sent_is_refused_before_anything_is(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "stored"
    if data is not None:
        path.write_bytes(data)
    async with rig() as feishu:
        with pytest.raises(SendPermanent):
            await feishu.platform.send(delivery("text", enclosure=Enclosure(str(path), "a.bin", "x/y")))
        assert not feishu.seen


@virtual_time
async def test_a_repeated_text_with_a_file_is_sent_once(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"bytes")
    async with rig() as feishu:
        once = delivery("text", enclosure=Enclosure(str(path), "a.bin", "x/y"))
        await feishu.platform.send(once)
        await feishu.platform.send(once)
        assert [(seen.text, seen.enclosure) for seen in feishu.seen] == [("text", None), ("", b"bytes")]


@virtual_time
async def test_a_file_of_another_platform_or_one_that_is_gone_is_not_fetched() -> None:
    async with rig() as feishu:
        for attachment in (Attachment(ref="x"), Attachment(), Attachment(ref='["om_9","f","file"]')):
            with pytest.raises(FetchFailed):
                await feishu.platform.fetch(attachment, 10)


@virtual_time
async def test_a_file_that_is_too_large_is_not_read_to_its_end() -> None:
    async with rig() as feishu:
        feishu.peer.world.files["f1"] = b"x" * 20_000_000
        where = api.path("im", "v1", "messages", feishu.ids[0], "resources", "f1")
        reply = await feishu.platform.api.download(where, 10, {"type": "file"})
        assert 10 < len(reply.body) < 5_000_000
