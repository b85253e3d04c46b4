"""Files that came with messages, kept in the workspace: `ports.Inbox`."""

from serai.core.error import FetchFailed, ToolFailed
from serai.core.profile import AgentProfile
from serai.tools import disk
from serai.tools.failure import told
from serai.tools.thread import AgentThreads
from serai.tools.workspace import place


class WorkspaceInbox:
    """Works in the agent's own threads, and nowhere but in its workspace."""

    def __init__(self, threads: AgentThreads) -> None:
        self._threads = threads

    async def read(self, profile: AgentProfile, path: str, most: int) -> bytes | None:
        def work() -> bytes | None:
            try:
                with place(profile.workspace, path) as at:
                    return disk.read(at.folder, at.name, path, most)
            except (OSError, ToolFailed):
                return None

        return await self._threads.run(profile.id, work)

    async def keep(self, profile: AgentProfile, path: str, data: bytes) -> None:
        def work() -> None:
            with told(path), place(profile.workspace, path, create=True) as at:
                if not at.name:
                    raise ToolFailed(f"`{path}` is a folder")
                disk.replace(at.folder, at.name, data)

        try:
            await self._threads.run(profile.id, work)
        except ToolFailed as error:
            raise FetchFailed(f"it could not be kept: {error}") from error
