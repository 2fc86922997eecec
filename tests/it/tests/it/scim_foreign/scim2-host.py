"""scim2-server, a SCIM 2.0 service provider, with everything in memory.

The first line of standard input is {"token": ...}. It prints one line,
{"address": ...}, and ends when standard input is closed.
"""

import json
import os
import sys
import threading

from scim2_server.testserver import cli

token = json.loads(sys.stdin.readline())["token"]
make_server = cli.make_server


def announced(*args, **options):
    """Prints the address, which contains the port that the system chose."""
    server = make_server(*args, **options)
    address = f"http://127.0.0.1:{server.server_port}/v2"
    print(json.dumps({"address": address}), flush=True)
    return server


def end_with_the_asking_process():
    sys.stdin.read()
    os._exit(0)


cli.make_server = announced
threading.Thread(target=end_with_the_asking_process, daemon=True).start()
sys.argv = ["scim2-server", "--hostname", "127.0.0.1", "--port", "0", "--bearer-token", token]
cli.main()
