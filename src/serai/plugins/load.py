"""Finding the enabled plugins: entry points, and folders in SERAI_HOME (SPEC 8.2)."""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from serai import plugin as specification
from serai.core.error import Startup
from serai.plugin import GROUP


def load_plugins(enabled: Sequence[str], folder: Path) -> Sequence[tuple[str, object]]:
    """The enabled plugins with their names, in configured order. Raises Startup for one that is missing or broken."""
    if not enabled:
        return []
    points = {point.name: point for point in entry_points(group=GROUP)}
    found: list[tuple[str, object]] = []
    for name in enabled:
        file = folder / name / "plugin.py"
        try:
            loaded = _folder_plugin(name, file) if file.is_file() else points[name].load()
        except KeyError:
            raise Startup(
                f"the plugin `{name}` is enabled, but there is neither {file} nor an installed package with an entry"
                f" point `{name}` in the group `{GROUP}`"
            ) from None
        except Exception as error:
            raise Startup(f"the plugin `{name}` could not be imported: {type(error).__name__}: {error}") from error
        _check(name, loaded)
        found.append((name, loaded))
    return found


def is_there(name: str, folder: Path) -> bool:
    """Whether there is a plugin of that name, enabled or not. Nothing of it is imported."""
    return (folder / name / "plugin.py").is_file() or bool(entry_points(group=GROUP, name=name))


def _folder_plugin(name: str, file: Path) -> ModuleType:
    module_name = f"serai_plugin_{name}"
    known = sys.modules.get(module_name)
    if known is not None and known.__file__ == str(file):
        return known
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise Startup(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _check(name: str, loaded: object) -> None:
    """Every marked function must be a hook that exists, with arguments that it has, and no wrapper of others."""
    manager = pluggy.PluginManager("serai")
    manager.add_hookspecs(specification)
    try:
        manager.register(loaded, name=name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise Startup(f"the plugin `{name}` does not fit: {error}") from error
    for caller in manager.get_hookcallers(loaded) or ():
        if any(one.wrapper or one.hookwrapper for one in caller.get_hookimpls()):
            raise Startup(
                f"the plugin `{name}` does not fit: `{caller.name}` wraps other plugins, which is not possible"
            )
