"""What the library raises, as the outbox needs it (SPEC 5.5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, TelegramError

from serai.core.error import SendPermanent, SendTemporary, SendUnknown
from serai.platforms.telegram.request import Failing, Limited, NotConnected, Unanswered

_TELLING: Final = (BadRequest, Conflict, Failing, Forbidden, Limited, NotConnected, Unanswered)


@contextmanager
def told() -> Iterator[None]:
    """Raises SendTemporary, SendPermanent or SendUnknown for what goes wrong inside. Nothing is chained."""
    try:
        yield
    except Limited as error:
        raise SendTemporary(str(error), error.seconds) from None
    except (NotConnected, Failing) as error:
        raise SendTemporary(str(error)) from None
    except Unanswered as error:
        raise SendUnknown(str(error)) from None
    except InvalidToken:
        raise SendTemporary("Telegram refuses the bot's token") from None  # another token can send it
    except Forbidden as error:
        raise SendPermanent(f"Telegram does not let the bot write there: {reason(error)}") from None
    except (BadRequest, Conflict) as error:
        raise SendPermanent(f"Telegram refuses it: {reason(error)}") from None
    except TelegramError as error:
        raise SendUnknown(f"it is not known whether it was sent ({reason(error)})") from None


def reason(error: TelegramError) -> str:
    """What is wrong, in words that hold no secret: what Telegram itself says, or the kind of error. The library puts
    all that it knows of a request into the texts of some."""
    return str(error) if isinstance(error, _TELLING) else type(error).__name__
