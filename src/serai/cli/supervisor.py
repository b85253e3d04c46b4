"""The end of every command: an exit code, and one sentence where something went wrong. Never a traceback."""

import sys
from collections.abc import Callable

import click

from serai.cli.stdout import READER_GONE, abandon_stdout
from serai.core.error import SeraiError

INTERRUPTED = 130


def supervise(run: Callable[[], object]) -> int:
    """Runs a command line and returns its exit code.

    0 done, 1 failed or the reader of our output went away, 2 wrong usage, 130 interrupted by Ctrl-C.
    """
    try:
        result = run()
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SeraiError as error:
        return _failed(str(error))
    except BrokenPipeError:
        abandon_stdout()
        return READER_GONE
    except OSError as error:
        return _failed(_operating_system(error))
    except Exception as error:  # noqa: BLE001 - the last supervisor: people get a sentence, never a traceback
        return _failed(_unforeseen(error))


def _failed(sentence: str) -> int:
    click.echo(f"Error: {sentence}", err=True)
    return 1


def _operating_system(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _unforeseen(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno})" if trace else ""
    return f"This is a defect of serai itself: {type(error).__name__}: {error}{place}"
