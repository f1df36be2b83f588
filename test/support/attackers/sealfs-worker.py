#!/usr/bin/env python3
"""One program of a session that keeps descriptors while the test does something to sealfs.

usage: sealfs-worker.py hold | fill FILE | hammer FILE SEED BYTES
hold    reads by a descriptor, by a mapping and writes; after one line on standard input again
fill    writes FILE until an error comes; prints its name, the call and the size reached
hammer  overwrites parts of FILE and appends to FILE.log, each with fsync; prints each that is done
"""
import errno
import json
import mmap
import os
import random
import sys


def say(value):
    print(json.dumps(value), flush=True)


def tried(call):
    try:
        value = call()
    except OSError as error:
        return errno.errorcode[error.errno]
    return value.decode() if isinstance(value, bytes) else "ok"


def child_reads(mapped):
    """A mapping whose page cannot be had any more ends its reader with SIGBUS."""
    child = os.fork()
    if child == 0:
        os._exit(0 if mapped[:6] == b"secret" else 1)
    status = os.waitpid(child, 0)[1]
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "ok"


def hold():
    fd = os.open("held.txt", os.O_RDWR)
    mapped = mmap.mmap(fd, 6, mmap.MAP_SHARED, mmap.PROT_READ)
    written = os.open("written.txt", os.O_RDWR | os.O_CREAT)
    os.write(written, b"dirty" * 1000)
    say({"read": tried(lambda: os.pread(fd, 6, 0)), "mapping": child_reads(mapped)})
    sys.stdin.readline()
    say({
        "read": tried(lambda: os.pread(fd, 6, 0)),
        "mapping": child_reads(mapped),
        "written": tried(lambda: os.pread(written, 6, 0)),
        "write": tried(lambda: (os.pwrite(fd, b"x", 0), os.fsync(fd)) and None),
        "open": tried(lambda: os.open("held.txt", os.O_RDONLY) and None),
        "create": tried(lambda: os.open("fresh.txt", os.O_WRONLY | os.O_CREAT) and None),
    })


def fill(name):
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    size, call = 0, "write"
    try:
        while size < 1 << 26:
            call = "write"
            size += os.pwrite(fd, bytes([size >> 16 & 255]) * 65536, size)
            call = "fsync"
            os.fsync(fd)
        say(["none", "", size])
    except OSError as error:
        say([errno.errorcode[error.errno], call, size])


def hammer(name, seed, size):
    dice = random.Random(seed)
    fd = os.open(name, os.O_RDWR)
    log = os.open(name + ".log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    say(["ready", os.fstat(log).st_size, 0])
    count = 0
    while True:
        at = dice.randrange(size - 100_000)
        length, letter = dice.randrange(1, 100_000), dice.randrange(97, 123)
        say(["begin", at, length])
        os.pwrite(fd, bytes([letter]) * length, at)
        os.fsync(fd)
        say(["done", at, length, letter])
        count += 1
        os.write(log, b"line %08d\n" % count)
        os.fsync(log)
        say(["logged", count, 0])


def main():
    if sys.argv[1] == "hold":
        hold()
    elif sys.argv[1] == "fill":
        fill(sys.argv[2])
    else:
        try:
            hammer(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        except OSError:
            sys.exit(0)


main()
