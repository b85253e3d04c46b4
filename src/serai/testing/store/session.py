"""What every store must do for sessions as objects (SPEC 11.6), as a pytest suite like `StoreContract`."""

from dataclasses import replace

import pytest

from serai.core.error import Fenced
from serai.core.ids import SessionId
from serai.core.lane import LaneAddress
from serai.ports.store import Store
from serai.ports.store.arrival import Idempotency, SessionTaken
from serai.ports.store.session import Fork
from serai.testing.store.stage import NOW, OPS, arrival, begun, done, offer

COPY = SessionId("copy")
ADDRESS = LaneAddress(OPS, "api_server", "default", "dm", chat=COPY)


class SessionContract:
    """Named, copied, erased."""

    async def test_a_session_has_the_name_that_it_was_given_last(self, store: Store) -> None:
        claim = await begun(store)
        assert await store.entitle(claim.session, "Paris")
        view = await store.view(claim.address)
        assert view is not None
        assert view.title == "Paris"
        assert not await store.entitle(SessionId("nothing"), "x")

    async def test_a_copy_has_the_history_and_an_owner_and_a_lane_of_its_own(self, store: Store) -> None:
        claim = await begun(store)
        await store.finish(claim.fence, done(), NOW + 2)
        assert await store.fork(Fork(claim.session, COPY, ADDRESS, "app", NOW + 3))
        holder = await store.holder(COPY)
        assert holder is not None
        assert (holder.owner, holder.agent) == ("app", OPS)
        asked = arrival(2, address=ADDRESS, session=COPY, owner="app", reply_to=None)
        accepted = await store.accept(asked, offer("t2"))
        assert accepted.claim is not None
        assert [said.text for said in accepted.claim.history] == ["hi", "hello"]
        assert accepted.claim.prompt == claim.prompt
        with pytest.raises(SessionTaken):
            await store.fork(Fork(claim.session, COPY, ADDRESS, "app", NOW + 4))
        assert not await store.fork(Fork(SessionId("nothing"), SessionId("x"), ADDRESS, "app", NOW))

    async def test_what_runs_in_an_erased_session_is_cancelled_and_its_worker_fenced(self, store: Store) -> None:
        claim = await begun(store)
        gone = await store.erase(claim.session, "deleted", NOW + 2)
        assert gone is not None
        assert (gone.lane, gone.address) == (claim.lane, claim.address)
        assert list(gone.inputs) == [claim.inputs[0].id]
        with pytest.raises(Fenced):
            await store.finish(claim.fence, done(), NOW + 3)
        ended = await store.outcome(claim.inputs[0].id)
        assert ended is not None
        assert ended.fault is not None
        assert (ended.state, ended.fault.text) == ("cancelled", "deleted")
        assert await store.erase(claim.session, "deleted", NOW + 4) is None

    async def test_a_lane_goes_on_in_a_fresh_session(self, store: Store) -> None:
        claim = await begun(store)
        await store.finish(claim.fence, done(), NOW + 2)
        await store.erase(claim.session, "deleted", NOW + 3)
        after = await begun(store, 2)
        assert after.lane == claim.lane
        assert after.history == ()
        assert after.session != claim.session
        assert (await store.accept(arrival(1))).duplicate

    async def test_a_repeated_request_of_an_erased_session_is_a_new_one(self, store: Store) -> None:
        promise = Idempotency("app", "k", "route", "body", NOW + 1000)
        claim = await begun(store, 1, idempotency=promise)
        await store.finish(claim.fence, done(), NOW + 2)
        assert await store.idempotent(promise, NOW + 3) is not None
        await store.erase(claim.session, "deleted", NOW + 3)
        assert await store.idempotent(replace(promise), NOW + 4) is None
