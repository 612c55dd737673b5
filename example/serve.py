"""Leaves the example running for a look in the browser, until Ctrl-C."""

import argparse
import errno
import signal
import sys
from threading import Event

from django.conf import settings
from host import ADMIN_NAME, ADMIN_PASSWORD, LEDGER_PATH, PORT, running_host

WELCOME = """\
{model}

admin    {url}/admin/
         user {name}, password {password}
ledger   {url}{path}
ask      curl {url}/agent/api/v1/llm/complete -H 'X-API-KEY: {key}' \\
         -H 'Content-Type: application/json' -d '{{"prompt": "Three colours, as JSON.", "model": "small"}}'

Ctrl-C ends it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any free one")
    port = parser.parse_args().port
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running_host(port=port) as host:
            access = {"name": ADMIN_NAME, "password": ADMIN_PASSWORD, "key": settings.SERVICE_API_KEY}
            print(WELCOME.format(url=host.url, model=host.model, path=LEDGER_PATH, **access))
            Event().wait()
    except OSError as fault:
        if fault.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {port} is taken: make serve PORT={port + 1}")
    except KeyboardInterrupt:
        print("\nEnded.")


if __name__ == "__main__":
    main()
