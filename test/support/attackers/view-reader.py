#!/usr/bin/env python3
"""Reads one path again and again by every way there is, and counts bytes of the wrong view.

usage: view-reader.py PATH plain|sealed COUNT SCRATCH
The document is made of blocks of 16 bytes, "PLAINVIEW-BLOCK" and one letter. The plain view is
such blocks and nothing else; the sealed view begins with SEALWAY1 and holds no such block. SCRATCH
is a directory of the same file system: copy_file_range stays within one.
Prints one line of JSON: {"reads": N, "byWay": {...}, "wrong": [...], "sizes": N, "retries": N}.
"""
import errno
import json
import mmap
import os
import re
import signal
import sys
import uuid

BLOCK = b"PLAINVIEW-BLOCK"
WHOLE = re.compile(rb"(PLAINVIEW-BLOCK[A-Z])*")


def by_read(fd, size):
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def by_pread(fd, size):
    return os.pread(fd, size, 0)


def by_mapping(flags):
    def way(fd, size):
        with mmap.mmap(fd, size, flags=flags, prot=mmap.PROT_READ) as mapping:
            return mapping[:]

    return way


def through_memory_file(move):
    """Lets the kernel move the bytes into a file of its own, then reads that."""

    def way(fd, size):
        target = os.memfd_create("sink")
        try:
            move(fd, target, size)
            return os.pread(target, size, 0)
        finally:
            os.close(target)

    return way


def send(fd, target, size):
    offset = 0
    while offset < size:
        moved = os.sendfile(target, fd, offset, size - offset)
        if moved == 0:
            return
        offset += moved


def by_splice(fd, size):
    into, out = os.pipe()
    parts, offset = [], 0
    try:
        while offset < size:
            moved = os.splice(fd, out, min(size - offset, 65536), offset_src=offset)
            if moved == 0:
                break
            offset += moved
            left = moved
            while left > 0:
                part = os.read(into, left)
                parts.append(part)
                left -= len(part)
    finally:
        os.close(into)
        os.close(out)
    return b"".join(parts)


def by_copy_file_range(scratch):
    def way(fd, size):
        path = os.path.join(scratch, f"copy-{uuid.uuid4().hex}.bin")
        target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            offset = 0
            while offset < size:
                moved = os.copy_file_range(fd, target, size - offset, offset, offset)
                if moved == 0:
                    break
                offset += moved
        finally:
            os.close(target)
        try:
            with open(path, "rb") as copy:
                return copy.read()
        finally:
            os.unlink(path)

    return way


def is_wrong(view, data):
    if view == "plain":
        return WHOLE.fullmatch(data) is None
    return BLOCK in data or not data.startswith(b"SEALWAY1")


def main():
    path, view, count, scratch = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    # A mapping past the new end of a file that was cut short ends a program; that is POSIX.
    signal.signal(signal.SIGBUS, signal.SIG_DFL)
    ways = {
        "read": by_read,
        "pread": by_pread,
        "mmap-private": by_mapping(mmap.MAP_PRIVATE),
        "mmap-shared": by_mapping(mmap.MAP_SHARED),
        "sendfile": through_memory_file(send),
        "splice": by_splice,
        "copy-file-range": by_copy_file_range(scratch),
    }
    names = list(ways)
    by_way = dict.fromkeys(names, 0)
    wrong, sizes, retries, done = [], 0, 0, 0
    while done < count:
        name = names[done % len(names)]
        try:
            fd = os.open(path, os.O_RDONLY)
        except OSError as refused:
            # The name is being replaced at this moment: open again, as any program does.
            if refused.errno not in (errno.ESTALE, errno.ENOENT):
                raise
            retries += 1
            if retries > count:
                raise
            continue
        try:
            before = os.fstat(fd)
            data = ways[name](fd, before.st_size)
            after = os.fstat(fd)
        finally:
            os.close(fd)
        if is_wrong(view, data):
            wrong.append({"way": name, "bytes": len(data), "begin": data[:24].hex()})
        if before.st_size == after.st_size and len(data) != before.st_size:
            if name != "copy-file-range":
                sizes += 1
        by_way[name] += 1
        done += 1
    print(
        json.dumps(
            {"reads": done, "byWay": by_way, "wrong": wrong[:10], "sizes": sizes, "retries": retries}
        )
    )


main()
