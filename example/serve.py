"""Runs the example until Ctrl-C, for a look in the browser."""

import argparse
import errno
import signal
import sys
from threading import Event

from host import ADMIN_NAME, ADMIN_PASSWORD, LEDGER_PATH, PORT, running_host
from welcome import ask_command

WELCOME = """\
{model}

open     {url}/
admin    {url}/admin/
         user {name}, password {password}
ledger   {url}{path}

Or ask:

{command}

Press Ctrl-C to stop."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="the port to use; 0 means any free one")
    port = parser.parse_args().port
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running_host(port=port) as host:
            access = {"name": ADMIN_NAME, "password": ADMIN_PASSWORD, "command": ask_command(host.url)}
            print(WELCOME.format(url=host.url, model=host.model, path=LEDGER_PATH, **access))
            Event().wait()
    except OSError as fault:
        if fault.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {port} is in use: make serve PORT={port + 1}")
    except KeyboardInterrupt:
        print("\nEnded.")


if __name__ == "__main__":
    main()
