"""The deadline ends a block of socket operations and closes its sockets."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time

import pytest

from stapel_agent.images.socket_deadline import socket_deadline
from tests.scripted_server import Reply, ScriptedServer, silent_listener


def read(url: str, timeout: float = 60) -> bytes:
    """Reads like a library whose timeout restarts with each byte, and closes nothing."""
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    connection.request("GET", "/")
    used.append(connection.sock)
    return connection.getresponse().read()


used: list[socket.socket] = []


@pytest.mark.parametrize("trickle", ["head", "body", None])
def test_socket_deadline__slow_server(trickle):
    """A trickling or silent peer cannot delay the block, and its socket is closed."""
    used.clear()
    reply = Reply(b"x" * 10_000, trickle=trickle, pause=0.05, thinking=0 if trickle else 60)
    with ScriptedServer(reply) as server:
        started_at = time.monotonic()
        with pytest.raises(TimeoutError), socket_deadline(2):
            read(server.url)
        assert time.monotonic() - started_at < 50
    assert used[0].fileno() == -1
    assert sys.getprofile() is None


def test_socket_deadline__handshake():
    """A peer that never answers a TLS handshake cannot delay the block."""
    with silent_listener() as url, pytest.raises(TimeoutError), socket_deadline(2):
        host, port = url.removeprefix("http://").split(":")
        plain = socket.create_connection((host, int(port)), timeout=60)
        ssl.create_default_context().wrap_socket(plain, server_hostname="example.org")


def test_socket_deadline__in_time():
    """Work that is done in time is not affected."""
    with ScriptedServer(Reply(b"pong", ending="close")) as server, socket_deadline(30):
        assert read(server.url) == b"pong"


def test_socket_deadline__greenlets():
    """Under gevent, the deadline applies to its own greenlet, and others continue."""
    program = """
from gevent import monkey; monkey.patch_all()
import django, socket, sys, threading, time
django.setup()
from stapel_agent.images.socket_deadline import socket_deadline
done = []
def other():
    time.sleep(1)
    done.append("other")
threading.Thread(target=other).start()
try:
    with socket_deadline(0.3):
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60).recv(1)
except TimeoutError as fault:
    done.append(str(fault))
while len(done) < 2:
    time.sleep(0.05)
print(done)
"""
    with silent_listener() as url:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "-c", program, url.rpartition(":")[2]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "['the deadline is over', 'other']"
