#!/usr/bin/env python3
"""Makes a file, keeps every kind of hold on it, and looks again after others have written to it.

usage: held-descriptor.py PATH [RENAMED]
Writes "held", waits for a line, then prints JSON: what each hold shows now, latin-1, or its error.
"""
import json
import mmap
import os
import signal
import sys

path = sys.argv[1]
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
os.write(fd, b"made outside\n" * 1000)
os.fsync(fd)
mapping = mmap.mmap(fd, 8192, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
private = mmap.mmap(fd, 8192, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
touched = mapping[0]
reader = os.open(path, os.O_RDONLY)
if len(sys.argv) > 2:
    os.rename(path, sys.argv[2])
print("held", flush=True)
sys.stdin.readline()


def sendfile():
    sink = os.memfd_create("sink")
    os.sendfile(sink, fd, 0, 1 << 20)
    return os.pread(sink, 1 << 20, 0)


def in_child(look):
    """A mapping of pages that are gone kills whoever looks: so a child looks."""
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(out, look())
        finally:
            os._exit(0)
    os.close(out)
    data = b""
    while part := os.read(into, 65536):
        data += part
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise OSError(0, signal.Signals(os.WTERMSIG(status)).name)
    return data


ways = {
    "pread": lambda: os.pread(fd, 1 << 20, 0),
    "pread-reader": lambda: os.pread(reader, 1 << 20, 0),
    "sendfile": sendfile,
    "mapping-shared": lambda: in_child(lambda: mapping[:]),
    "mapping-private": lambda: in_child(lambda: private[:]),
    "mapping-new": lambda: mmap.mmap(fd, 8192, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)[:],
    "reopen": lambda: open(f"/proc/self/fd/{fd}", "rb").read(),
    "reopen-write": lambda: os.pread(os.open(f"/proc/self/fd/{fd}", os.O_RDWR), 1 << 20, 0),
    "path": lambda: open(sys.argv[-1], "rb").read(),
}
seen = {}
for name, way in ways.items():
    try:
        seen[name] = way().decode("latin-1")
    except (OSError, ValueError) as refused:
        seen[name] = f"refused: {refused}"
print(json.dumps(seen))
