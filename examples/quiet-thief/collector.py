#!/usr/bin/env python3
"""Where a thief would have its loot sent: two ports on loopback. The first line that it prints has both;
whatever arrives is appended to a file.
"""

import argparse
import asyncio
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--into", type=Path, required=True, help="the file that keeps what arrives")
arguments = parser.parse_args()


async def receive(reader, writer):
    with arguments.into.open("ab") as kept:
        kept.write(b"connected\n")
        kept.flush()
        kept.write(await reader.read())
    writer.close()


async def main():
    listeners = [await asyncio.start_server(receive, "127.0.0.1", 0) for _ in range(2)]
    print(*("127.0.0.1:%d" % listener.sockets[0].getsockname()[1] for listener in listeners), flush=True)
    await asyncio.gather(*(listener.serve_forever() for listener in listeners))


asyncio.run(main())
