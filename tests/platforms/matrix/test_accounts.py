"""Several accounts in one process, also in one room."""

from pathlib import Path

from serai.platforms.matrix.driver import Matrix
from serai.testing.platform.stage import overheard
from tests.platforms.matrix.peer import MatrixPeer
from tests.platforms.matrix.stage import connected, delivery, session, surroundings
from tests.platforms.matrix.synapse import User

ROOM = "!garden:peer.example"


def _user(peer: MatrixPeer, name: str) -> User:
    login = peer.login(name)
    return User(login.user_id, login.token, login.device_id)


async def test_two_bots_in_one_room_do_not_hear_one_another(tmp_path: Path) -> None:
    async with MatrixPeer() as peer:
        rose, tulip = _user(peer, "rose"), _user(peer, "tulip")
        peer.open(ROOM, "@alice:peer.example", rose.user_id, tulip.user_id)
        async with (
            connected(peer.url, rose, tmp_path / "rose") as (first, roses),
            connected(peer.url, tulip, tmp_path / "tulip") as (second, tulips),
        ):
            await peer.says("rose: hello", chat=ROOM, to=peer.login("rose"))
            assert (await roses.hears("hello")).mentioned
            assert not (await tulips.hears("rose: hello")).mentioned
            await first.send(delivery(ROOM, "tulip: answer me", chat_type="group"))
            await second.send(delivery(ROOM, "rose: answer me", chat_type="group"))
            await peer.says("the end", chat=ROOM, to=peer.login("rose"))
            await roses.hears("the end")
            await tulips.hears("the end")
            assert [inbound.text for inbound in roses.heard] == ["hello", "the end"]
            assert [inbound.text for inbound in tulips.heard] == ["rose: hello", "the end"]
            assert {seen.text for seen in peer.sent} == {"tulip: answer me", "rose: answer me"}


async def test_a_configured_account_is_made_of_its_settings(tmp_path: Path) -> None:
    async with session() as made:
        driver = Matrix.configured(surroundings(made, "http://127.0.0.1:9", "fake-token", tmp_path / "matrix"))
        assert str(driver.account) == "matrix"
        assert not (tmp_path / "matrix").exists(), "nothing is made before it connects"
        assert driver.rooms == ()


async def test_no_text_is_logged(tmp_path: Path) -> None:
    with overheard() as log:
        async with MatrixPeer() as peer:
            bot = _user(peer, "bot")
            async with connected(peer.url, bot, tmp_path) as (driver, gateway):
                await peer.says("a private question", chat=ROOM, to=peer.login("bot"))
                await gateway.hears("a private question")
                await driver.send(delivery(ROOM, "a private answer"))
                peer.post(ROOM, "@alice:peer.example", {"msgtype": "m.text", "body": "a private oddity", "url": 5})
                await peer.says("the end", chat=ROOM, to=peer.login("bot"))
    assert "could not be read" in log.getvalue()
    assert "private" not in log.getvalue()
