"""Messaging that accepts everything at once and keeps nothing: ``python -m … .stand_in``.

A process of its own, as small as can be, so that what is measured is the sender. Prints its port.
"""

import asyncio
import json


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            messages = json.loads(await reader.readexactly(length))["messages"]
            results = [
                {
                    "idempotencyKey": message["idempotencyKey"],
                    "status": "accepted",
                    "messageId": message["idempotencyKey"][-60:],
                }
                for message in messages
            ]
            body = json.dumps({"results": results}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how it is found
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
