"""Everything that turns share."""

from dataclasses import dataclass, field

from serai.agent.loop import AgentLoop
from serai.agent.prompt import PromptSource
from serai.gateway.activity import Activity
from serai.gateway.answer.drafts import Drafts
from serai.gateway.answer.presence import Presence
from serai.gateway.approval.asking import Asking
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.hooks import AgentHooks
from serai.gateway.meter import Meter
from serai.gateway.state import State
from serai.gateway.turn.enclosed import Enclosed
from serai.gateway.turn.errand import Errands
from serai.gateway.turn.history import History
from serai.ports.clock import Clock, Entropy
from serai.ports.engine import Engine
from serai.ports.store import Store
from serai.ports.tool import Toolbox


@dataclass(frozen=True, slots=True)
class Workshop:
    """What turns are made with."""

    state: State
    store: Store
    engine: Engine
    loop: AgentLoop
    prompts: PromptSource
    toolbox: Toolbox
    history: History
    meter: Meter
    clock: Clock
    entropy: Entropy
    parcels: Parcels
    hooks: AgentHooks
    drafts: Drafts
    presence: Presence
    asking: Asking
    enclosed: Enclosed
    errands: Errands
    activity: Activity = field(default_factory=Activity)
