#!/usr/bin/env python3
"""A TCP proxy that passes bytes on in pieces of random length, so that nobody gets them as they were sent.

  resplit.py URL [--seed N]       before the server at URL; the first line that it prints is its own URL
"""

import argparse
import asyncio
import random
import socket
import sys
from urllib.parse import urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("url", type=urlsplit)
parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
arguments = parser.parse_args()
numbers = random.Random(arguments.seed)


async def pass_on(reader, writer, longest):
    try:
        while data := await reader.read(1 << 16):
            while data:
                length = numbers.randint(1, longest)
                writer.write(data[:length])
                await writer.drain()
                data = data[length:]
                await asyncio.sleep(0)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def connection(reader, writer):
    to_reader, to_writer = await asyncio.open_connection(arguments.url.hostname, arguments.url.port)
    for stream in (writer, to_writer):
        stream.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await asyncio.gather(pass_on(reader, to_writer, 1 << 16), pass_on(to_reader, writer, 24))


async def main():
    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    print(f"seed {arguments.seed}", file=sys.stderr, flush=True)
    await server.serve_forever()


asyncio.run(main())
