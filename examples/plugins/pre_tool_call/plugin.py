"""Files are written in the folder `drafts` only; a path without a folder is put there."""

from serai.plugin import hookimpl

WRITING = {"file_write", "file_edit"}


@hookimpl
async def pre_tool_call(tool_name, args):
    if tool_name not in WRITING:
        return None
    path = str(args.get("path", ""))
    if "/" not in path:
        return {"args": {**args, "path": f"drafts/{path}"}}
    if not path.startswith("drafts/") or ".." in path:
        return {"block": "Only files in drafts/ may be written."}
    return None
