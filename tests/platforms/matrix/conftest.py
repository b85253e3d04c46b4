"""The homeserver that these tests share."""

from collections.abc import Iterator

import pytest

from tests.platforms.matrix.synapse import Synapse, Unavailable, running


@pytest.fixture(scope="package")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A real one; where it cannot be had, the tests that ask for it are skipped, and say why."""
    try:
        with running(tmp_path_factory.mktemp("synapse")) as server:
            yield server
    except Unavailable as error:
        pytest.skip(str(error))
