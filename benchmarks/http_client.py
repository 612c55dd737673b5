"""openai-compat against a loopback server, through the whole facade.

References in the same run: the raw pooled `httpx` call to the same server, and the ledger's write.
"""

import json
import socket
import threading
import time

import httpx

from benchmarks.host import milliseconds, on_each_engine, show, verdict

ANSWER = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": '{"city": "Paris"}'}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28},
    }
).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER) + ANSWER


def serve() -> str:
    """The base URL of a server that gives every request the same answer, as fast as Python can."""
    listener = socket.create_server(("127.0.0.1", 0))

    def connection(peer: socket.socket) -> None:
        while request := peer.recv(65536):
            while not request.endswith(b"}"):
                request += peer.recv(65536)
            peer.sendall(RESPONSE)

    def accept() -> None:
        while True:
            threading.Thread(target=connection, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def measure() -> None:
    from django.test import override_settings

    from stapel_agent import arguments, services
    from stapel_agent.asking.attempt_sequence import Attempts
    from stapel_agent.completion import as_text
    from stapel_agent.ledger import row_writer

    base_url = serve()
    prompt = "Name the capital of France. " * 20
    with override_settings(STAPEL_AGENT={"DEFAULT_PROVIDER": "openai-compat", "OPENAI_COMPAT_BASE_URL": base_url}):
        provider = services.get_provider()
        (attempt,) = Attempts(arguments.valid(arguments.request_of(prompt, "small")), as_text)
        with attempt:
            attempt.ask()

        def write() -> None:
            with row_writer.entry(attempt):
                pass

        client = httpx.Client()
        message = {"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": prompt}]}
        steps = (
            lambda: client.post(f"{base_url}/chat/completions", json=message).json(),
            lambda: provider.complete(**attempt._arguments),
            write,
            lambda: services.complete(prompt, "small"),
        )
        raw, alone, row, whole = milliseconds(*steps)
        raw_cpu, _, row_cpu, whole_cpu = milliseconds(*steps, rounds=200, clock=time.thread_time)
    show("raw pooled httpx call (reference)", raw)
    show("the ledger's write (reference)", row)
    show("the provider alone", alone, note=f"= {alone / raw:.2f}x the raw call")
    note = f"= {whole / (raw + row):.2f}x both references, {(whole - row) / raw:.2f}x the raw call without the write"
    show("services.complete(), through openai-compat", whole, note=note)
    note = f"= {(whole_cpu - row_cpu) / raw_cpu:.2f}x the raw call's, without the write"
    show("processor time of services.complete()", whole_cpu, note=note)
    verdict("<= 1.4x the raw call and the ledger's write together", whole <= 1.4 * (raw + row))
    verdict("<= 1.4x the raw call, plus the ledger's write", whole <= 1.4 * raw + row)


if __name__ == "__main__":
    on_each_engine("benchmarks.http_client", measure)
