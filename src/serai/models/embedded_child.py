"""The embedded model's own process: llama.cpp's HTTP server on loopback (SPEC 7.2, DESIGN 4).

Started by `serai.models.embedded`, needs nothing but the standard library and xllamacpp.

stdin   one JSON line `{"api_key": "..."}`, then silence; its end means that the parent is gone, and so are we
stdout  one JSON line: `{"port": 40123}` once the model answers, or `{"problem": CODE, "detail": TEXT}` and the end
stderr  errors of llama.cpp

CODE is `missing` (xllamacpp is not installed), `port` (the wanted port is taken) or `start` (anything else).
The server speaks `POST /v1/chat/completions`, `GET /v1/models` and `GET /health`; all but the last want the key.
"""

import argparse
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

HOST = "127.0.0.1"
# Prompts of chats that left their slot are kept here, so that switching between agents does not read them again.
PROMPT_CACHE_MIB = 64
# llama.cpp gives every open connection a thread; a waiting request must not keep others from being accepted.
HTTP_THREADS = 64
# A request that names no bound ends here: a model this small does not always find an end of its own.
ANSWER_TOKENS = 200
LOG_ERRORS = 1


class Unfit(Exception):
    """The server cannot start. `code` is one of the codes above."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def main() -> None:
    """Serves until stdin ends."""
    options = _options()
    out = _claim_stdout()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    try:
        server = _serve(options, json.loads(line)["api_key"])
    except Unfit as problem:
        _say(out, {"problem": problem.code, "detail": str(problem)})
        raise SystemExit(1) from None
    _say(out, {"port": urlsplit(server.listening_address).port})
    sys.stdin.buffer.read()
    # Answers in the making have no reader any more: no orderly end, which would wait for them.
    os._exit(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serves a GGUF model on loopback.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--name", required=True, help="what the model is called in answers")
    parser.add_argument("--threads", type=int, default=1, help="compute threads")
    parser.add_argument("--slots", type=int, default=1, help="requests answered at a time; more wait")
    parser.add_argument("--context", type=int, default=4096, help="tokens of one request and its answer")
    parser.add_argument("--port", type=int, default=0, help="0 = a free one")
    return parser.parse_args()


def _claim_stdout() -> TextIO:
    """Keeps stdout for the one line and sends whatever native code prints there to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def _say(out: TextIO, line: Mapping[str, object]) -> None:
    with out:
        print(json.dumps(line), file=out)


def _serve(options: argparse.Namespace, api_key: str) -> Any:
    """Loads the weights and starts the server's threads. Raises Unfit."""
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise Unfit("missing" if error.name == "xllamacpp" else "start", str(error)) from error
    except ImportError as error:
        raise Unfit("start", f"xllamacpp does not load: {error}") from error
    if not options.weights.is_file():
        raise Unfit("start", f"there are no weights at {options.weights}")
    _check_port(options.port)
    try:
        return xllamacpp.Server(_parameters(xllamacpp.CommonParams(), options, api_key))
    except RuntimeError as error:
        raise Unfit("start", str(error)) from error


def _check_port(port: int) -> None:
    """Tells a taken port from other failures, which llama.cpp reports alike."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Unfit("port", f"port {port} is taken: {error}") from error


def _parameters(params: Any, options: argparse.Namespace, api_key: str) -> Any:
    """Fills llama.cpp's settings; `params` is an xllamacpp.CommonParams."""
    params.model.path = str(options.weights)
    params.model_alias = {options.name}
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots  # split evenly: a long chat never starves the other slot
    params.n_predict = ANSWER_TOKENS
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.hostnames = [HOST]
    params.port = options.port
    params.api_keys = [api_key]
    params.cors_origins = ""  # no web page has any business here
    params.n_threads_http = HTTP_THREADS
    params.ui = False
    params.endpoint_slots = False  # it would show one agent's prompt to another
    params.offline = True
    params.verbosity = LOG_ERRORS
    _sampling(params.sampling, options.context)
    return params


def _sampling(sampling: Any, context: int) -> None:
    """What a request gets that names nothing itself.

    Found by trying on SmolLM2-135M: it rambles above 0.4; a repeat penalty takes the persona's words from it; without
    DRY over the whole chat it copies its earlier answers, and without the frequency penalty it finds no end.
    """
    sampling.temp = 0.2
    sampling.top_p = 0.9
    sampling.penalty_freq = 0.3
    sampling.dry_multiplier = 0.8
    sampling.dry_penalty_last_n = context


if __name__ == "__main__":
    main()
