"""Whatever document comes: it becomes a question, or an error of the client's (SPEC 11.1)."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from serai.api.body import decode
from serai.api.completion.convert import input_body
from serai.api.completion.wire import ChatRequest
from serai.api.error import ApiError

DECODER = msgspec.json.Decoder(ChatRequest)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "refusal", "input_audio"])},
    optional={"text": texts, "refusal": texts, "image_url": st.fixed_dictionaries({"url": texts}) | anything},
)
messages = st.fixed_dictionaries(
    {"role": roles, "content": texts | st.lists(parts, max_size=3) | anything},
    optional={
        "tool_call_id": st.sampled_from(["a", "b"]),
        "name": texts,
        "tool_calls": st.lists(anything, max_size=2),
    },
)
fields = st.sampled_from(ChatRequest.__struct_fields__)
documents = st.builds(
    lambda said, rest: {**rest, "messages": said},
    st.lists(messages | anything, max_size=4),
    st.dictionaries(fields, anything),
)


def status(data: bytes, *, stored: bool) -> int:
    """What a client would get for this body: 200 where it becomes a question that can be stored."""
    try:
        msgspec.json.encode(input_body(decode(DECODER, data), stored=stored))
    except ApiError as error:
        return error.status
    return 200


@given(documents | anything, st.booleans())
def test_any_document_is_a_question_or_a_clients_error(document: object, stored: bool) -> None:
    assert status(msgspec.json.encode(document), stored=stored) in (200, 400)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_clients_error(data: bytes) -> None:
    assert status(data, stored=False) == 400
