#!/usr/bin/env python3
"""A plain Python MCP proxy (fastmcp) before one server: what people put in front of servers today.

    fastmcp_proxy.py UPSTREAM_URL

Prints the port that it listens on, and serves /mcp without sessions, until it is killed.
"""

import socket
import sys

from fastmcp.server import create_proxy


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    print(port, flush=True)
    proxy = create_proxy(sys.argv[1], name="peer")
    proxy.run(
        transport="http",
        host="127.0.0.1",
        port=port,
        path="/mcp/files",
        stateless_http=True,
        json_response=True,
        show_banner=False,
        log_level="error",
    )


main()
