"""What we write, an independent codec reads, and the other way round."""

import pytest

from serai.platforms.yuanbao import wire
from serai.platforms.yuanbao.schema import message
from serai.platforms.yuanbao.wire import Head, Malformed
from tests.platforms.yuanbao.independent import codec


def test_a_frame_of_ours_is_read_by_an_independent_codec() -> None:
    head = Head(wire.REQUEST, "auth-bind", "m1", "conn_access", need_ack=True, status=7)
    read = codec().decode_conn_msg(wire.frame(head, b"data", 300))
    assert read["head"]["cmd"] == "auth-bind"
    assert (read["head"]["msg_id"], read["head"]["module"]) == ("m1", "conn_access")
    assert (read["head"]["seq_no"], read["head"]["need_ack"], read["head"]["status"]) == (300, True, 7)
    assert read["data"] == b"data"


def test_a_frame_of_an_independent_codec_is_read_by_ours() -> None:
    made = codec().encode_conn_msg_full(2, "inbound", 9, "m2", "proxy", b"xyz", need_ack=True)
    head, data = wire.parse(made)
    assert (head.kind, head.cmd, head.msg_id, head.module, head.need_ack) == (
        wire.PUSH,
        "inbound",
        "m2",
        "proxy",
        True,
    )
    assert data == b"xyz"


def test_a_login_is_the_same_bytes_as_an_independent_codecs() -> None:
    theirs = codec().encode_auth_bind("ybBot", "bot-1", "bot", "fake-token", "m1", "1.0", "linux", "1.0")
    _, data = wire.parse(theirs)
    assert data == wire.log_in("bot-1", "bot", "fake-token", "1.0", "17")


@pytest.mark.parametrize("group", [False, True])
def test_a_text_is_the_same_bytes_as_an_independent_codecs(group: bool) -> None:
    body = [{"msg_type": "TIMTextElem", "msg_content": {"text": "hello – 你好"}}]
    if group:
        theirs = codec()._encode_send_group_req("g1", "bot-1", body, "d1", random="42", ref_msg_id="m1")
    else:
        theirs = codec()._encode_send_c2c_req("g1", "bot-1", body, "d1", 42)
    _, ours = wire.text_message(
        to="g1", bot="bot-1", text="hello – 你好", message_id="d1", group=group, number=42, ref="m1" if group else ""
    )
    assert ours == theirs


def test_a_push_of_ours_is_read_by_an_independent_codec() -> None:
    made = message("InboundMessagePush")(from_account="ada", group_code="g1", msg_id="m1", msg_seq=70_000)
    part = made.msg_body.add(msg_type="TIMImageElem")
    part.msg_content.image_info_array.add(type=1, size=5, url="https://example.org/1")
    made.recall_msg_seq_list.add(msg_seq=5, msg_id="m0")
    read = codec().decode_inbound_push(made.SerializeToString())
    assert (read["from_account"], read["group_code"], read["msg_id"], read["msg_seq"]) == ("ada", "g1", "m1", 70_000)
    assert read["msg_body"][0]["msg_content"]["image_info_array"] == [
        {"type": 1, "size": 5, "url": "https://example.org/1"}
    ]
    assert read["recall_msg_seq_list"] == [{"msg_seq": 5, "msg_id": "m0"}]


@pytest.mark.parametrize("junk", [b"", b"\xff\xff\xff", b"{", b'{"from_account": 1}', b"\x0a\x02hi"])
def test_what_is_no_message_is_refused(junk: bytes) -> None:
    with pytest.raises(Malformed):
        wire.pushed(junk)
