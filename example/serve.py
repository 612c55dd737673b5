"""Leaves the example running for a look in the browser, until Ctrl-C."""

import argparse
import signal
import sys
from threading import Event

from django.conf import settings
from host import ADMIN_NAME, ADMIN_PASSWORD, running_host

WELCOME = """\
{model}

admin    {url}/admin/
         user {name}, password {password}
ledger   {url}/admin/agent/promptlog/
ask      curl {url}/agent/api/v1/llm/complete -H 'X-API-KEY: {key}' \\
         -H 'Content-Type: application/json' -d '{{"prompt": "Three colours, as JSON.", "model": "small"}}'

Ctrl-C ends it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free one")
    port = parser.parse_args().port
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running_host(port=port) as host:
            login = {"name": ADMIN_NAME, "password": ADMIN_PASSWORD, "key": settings.SERVICE_API_KEY}
            print(WELCOME.format(url=host.url, model=host.model, **login))
            Event().wait()
    except OSError as fault:
        sys.exit(f"Port {port} cannot be used ({fault.strerror}): make serve PORT=8001")
    except KeyboardInterrupt:
        print("\nEnded.")


if __name__ == "__main__":
    main()
