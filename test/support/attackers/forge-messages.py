#!/usr/bin/env python3
"""Sends one line after another to a Unix socket, each on a connection of its own, with descriptors.

usage: forge-messages.py SOCKET   (lines on standard input; "@big" stands for 3 MiB without newline)
Prints one JSON line for each: what came back, or how the connection ended.
"""
import array
import json
import socket
import sys

for line in sys.stdin.read().splitlines():
    data = b"a" * (3 << 20) if line == "@big" else line.encode() + b"\n"
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(5)
    try:
        peer.connect(sys.argv[1])
        fds = array.array("i", [0, 1, 2])
        peer.sendmsg([data[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        peer.sendall(data[1:])
        answer = b""
        while b"\n" not in answer and len(answer) < 65536:
            part = peer.recv(65536)
            if not part:
                break
            answer += part
        print(json.dumps({"answer": answer.decode("utf-8", "replace")}))
    except OSError as refused:
        print(json.dumps({"answer": "", "error": str(refused)}))
    finally:
        peer.close()
