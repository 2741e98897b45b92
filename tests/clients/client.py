"""The client with websockets. `main.rs` says what it does."""

import asyncio
import sys

import websockets

TEXT = "harpia " * 6000
BINARY = bytes(range(256)) * 160


def connect():
    compression = "deflate" if sys.argv[2] == "deflate" else None
    return websockets.connect(sys.argv[1], compression=compression)


def extension(socket):
    # Since version 14 the connection is not the protocol, but has one.
    extensions = getattr(socket, "protocol", socket).extensions
    return ", ".join(extension.name for extension in extensions) or "none"


async def long(socket, message):
    await socket.send(message)
    answer = await socket.recv()
    return f"{len(answer)} bytes, {'as sent' if answer == message else 'changed'}"


async def main():
    async with connect() as socket:
        print("extension:", extension(socket))
        await socket.send("Grüße 🌿")
        print("text:", await socket.recv())
        await socket.send(b"\x00\xff\x7f\x80")
        print("binary:", (await socket.recv()).hex())
        print("long text:", await long(socket, TEXT))
        print("long binary:", await long(socket, BINARY))
        await socket.close(1000, "done")
        print("closed by the client:", socket.close_code)
    async with connect() as socket:
        await socket.send("close")
        await socket.wait_closed()
        print("closed by the server:", socket.close_code, socket.close_reason)


sys.stdout.reconfigure(encoding="utf-8")
asyncio.run(main())
