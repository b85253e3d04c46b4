"""What every store must do, as a pytest suite: subclass, and give it a fixture `store`.

class TestSqlite(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path): ...
"""

from serai.testing.store.approval import ApprovalContract
from serai.testing.store.arrival import ArrivalContract
from serai.testing.store.delivery import DeliveryContract
from serai.testing.store.live import LiveContract
from serai.testing.store.sending import SendingContract
from serai.testing.store.session import SessionContract
from serai.testing.store.telling import TellingContract
from serai.testing.store.turn import TurnContract
from serai.testing.store.upkeep import UpkeepContract


class StoreContract(
    ArrivalContract,
    TurnContract,
    DeliveryContract,
    SendingContract,
    UpkeepContract,
    LiveContract,
    SessionContract,
    TellingContract,
    ApprovalContract,
):
    """The rules of SPEC 5, 6, 7.6, 9.4, 10, 11.6 and 11.7, one test each."""
