#!/usr/bin/env python3
"""Does one group of file system calls in an empty directory and prints what came of each.

usage: sealfs-posix.py CASE SEED      (in the directory; "--list" prints the cases)
Nothing here knows what is right: the same case on a bare ext4 directory must print the same lines.
A line is [what, value], where value is a result or the name of an errno.
"""
import ctypes
import errno
import fcntl
import hashlib
import json
import mmap
import os
import random
import shutil
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
RW = os.O_RDWR | os.O_CREAT
F_OFD_SETLK = 37
CASES = {}
TRACE = []
SEED = 0


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        digest = hashlib.sha256(value).hexdigest()[:16]
        return value.decode("latin-1") if len(value) <= 40 else f"{len(value)} bytes {digest}"
    return value


def did(what, call, *args, **more):
    try:
        value = call(*args, **more)
    except OSError as error:
        value = errno.errorcode[error.errno]
        TRACE.append([what, value])
        return None
    TRACE.append([what, plain(value)])
    return value


def libc(function, *args):
    if function(*args) == -1:
        raise OSError(ctypes.get_errno(), "")
    return 0


def renameat2(old, new, flags):
    return libc(LIBC.renameat2, -100, os.fsencode(old), -100, os.fsencode(new), flags)


def fallocate(fd, mode, at, length):
    return libc(LIBC.fallocate, fd, mode, at, length)


def facts(path):
    seen = os.lstat(path)
    return [stat.filemode(seen.st_mode), seen.st_nlink, None if stat.S_ISDIR(seen.st_mode) else seen.st_size]


def put(name, content=b"content"):
    with open(name, "wb") as file:
        file.write(content)


def get(name):
    with open(name, "rb") as file:
        return file.read()


def run(command):
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    return [done.returncode, done.stdout]


@case
def create():
    for mode in (0o666, 0o600, 0o444, 0o755):
        for mask in (0, 0o22, 0o77):
            os.umask(mask)
            name = f"{mode:o}-{mask:o}"
            fd = did("create", os.open, name, RW, mode)
            did("write", os.write, fd, b"x" * 20000)
            did("again", os.open, name, os.O_RDWR)
            did("facts", facts, name)
    did("in no directory", os.open, "none/file", RW)
    did("below a file", os.open, "666-0/file", RW)
    did("directory", os.open, ".", os.O_RDWR)
    did("unlink none", os.unlink, "none")
    did("names", lambda: sorted(os.listdir(".")))


@case
def exclusive():
    did("new", os.open, "file", RW | os.O_EXCL)
    did("there", os.open, "file", RW | os.O_EXCL)
    os.symlink("target", "dangling")
    did("dangling", os.open, "dangling", RW | os.O_EXCL)
    did("nofollow", os.open, "dangling", os.O_RDONLY | os.O_NOFOLLOW)
    did("through", os.open, "dangling", RW)
    did("names", lambda: sorted(os.listdir(".")))


@case
def append():
    for size in (1, 16383, 16384, 16385, 100000):
        fd = os.open("file", RW | os.O_APPEND)
        did("append", os.write, fd, b"a" * size)
        did("pwrite appends too", os.pwrite, fd, b"b", 0)
        did("size", lambda: os.fstat(fd).st_size)
        did("content", get, "file")
        os.close(fd)


@case
def truncate():
    fd = os.open("file", RW)
    os.write(fd, b"z" * 40000)
    for size in (39999, 32768, 100, 70000, 16384, 16385, 0, 5, 300000, 1):
        did(f"ftruncate {size}", os.ftruncate, fd, size)
        did("content", os.pread, fd, 400000, 0)
        did(f"truncate {size + 3}", os.truncate, "file", size + 3)
        did("content", get, "file")
    os.pwrite(fd, b"again", 0)
    did("O_TRUNC", os.open, "file", os.O_WRONLY | os.O_TRUNC)
    did("size", lambda: os.fstat(fd).st_size)
    did("negative", os.ftruncate, fd, -1)
    did("read only", os.ftruncate, os.open("file", os.O_RDONLY), 1)


@case
def sparse():
    fd = os.open("file", RW)
    for at in (100, 16384, 50000, 1 << 20, (1 << 22) - 1, 3 << 20):
        did("pwrite", os.pwrite, fd, b"island", at)
        did("before", os.pread, fd, 200, max(0, at - 150))
    did("whole", get, "file")
    did("size", lambda: os.fstat(fd).st_size)


@case
def punch():
    fd = os.open("file", RW)
    os.write(fd, random.Random(1).randbytes(200000))
    for at, length in ((10000, 60000), (0, 16384), (16384, 16384), (190000, 50000), (5, 1)):
        did("punch", fallocate, fd, 3, at, length)
        did("content", os.pread, fd, 300000, 0)
    did("zero", fallocate, fd, 0x10, 180000, 40000)
    did("content", os.pread, fd, 300000, 0)
    did("extend", fallocate, fd, 0, 0, 333333)
    did("content", os.pread, fd, 400000, 0)
    did("size", lambda: os.fstat(fd).st_size)
    did("nothing", fallocate, fd, 0, 0, 0)


@case
def rename_over_open():
    put("old", b"old" * 9000)
    put("new", b"new" * 5000)
    fd = os.open("old", os.O_RDWR)
    did("rename", os.rename, "new", "old")
    did("open one", os.pread, fd, 30000, 0)
    did("write it", os.pwrite, fd, b"X" * 20000, 10000)
    did("sync it", os.fsync, fd)
    did("links", lambda: os.fstat(fd).st_nlink)
    did("by name", get, "old")
    did("still", os.pread, fd, 40000, 0)
    did("onto itself", os.rename, "old", "old")
    did("none", os.rename, "none", "old")


@case
def exchange():
    put("a", b"a" * 30000)
    put("b", b"b")
    os.mkdir("d")
    fd = os.open("a", os.O_RDWR)
    did("exchange", renameat2, "a", "b", 2)
    did("a", get, "a")
    did("b", get, "b")
    did("write moved one", os.pwrite, fd, b"Z", 7)
    did("b", get, "b")
    did("with a directory", renameat2, "a", "d", 2)
    did("a", facts, "a")
    did("none", renameat2, "b", "none", 2)


@case
def noreplace():
    put("a")
    put("b")
    did("there", renameat2, "a", "b", 1)
    did("free", renameat2, "a", "c", 1)
    did("both", renameat2, "c", "b", 3)
    did("names", lambda: sorted(os.listdir(".")))


@case
def directories():
    os.makedirs("d/e/f")
    put("file")
    did("mkdir there", os.mkdir, "d")
    did("rmdir full", os.rmdir, "d")
    did("rmdir file", os.rmdir, "file")
    did("unlink directory", os.unlink, "d")
    did("into itself", os.rename, "d", "d/e/g")
    did("file over directory", os.rename, "file", "d")
    did("directory over file", os.rename, "d", "file")
    did("over full", os.rename, "d/e", "d")
    os.mkdir("empty")
    did("over empty", os.rename, "d", "empty")
    did("facts", facts, "empty")
    did("names", lambda: sorted(os.listdir("empty/e")))
    did("rmdir dot", os.rmdir, "empty/.")
    did("removed", os.rmdir, "empty/e/f")


@case
def hardlinks():
    put("a", b"a" * 50000)
    did("link", os.link, "a", "b")
    did("there", os.link, "a", "b")
    did("facts", facts, "b")
    with open("b", "r+b") as file:
        file.write(b"changed")
    did("a", get, "a")
    os.truncate("b", 17000)
    did("a", facts, "a")
    did("same", lambda: os.stat("a").st_ino == os.stat("b").st_ino)
    did("rename onto own link", os.rename, "a", "b")
    did("both", lambda: sorted(os.listdir(".")))
    os.unlink("a")
    did("b", get, "b")
    did("facts", facts, "b")
    did("directory", os.link, ".", "dot")


@case
def symlinks():
    put("file")
    did("symlink", os.symlink, "file", "link")
    did("readlink", os.readlink, "link")
    did("through", get, "link")
    did("facts", facts, "link")
    did("of file", os.readlink, "file")
    os.symlink("loop", "loop")
    did("loop", os.open, "loop", os.O_RDONLY)
    did("long", os.symlink, "x" * 4000, "long")
    did("long", os.readlink, "long")
    did("empty", os.symlink, "", "empty")
    os.symlink("../outside", "out")
    did("rename", os.rename, "link", "moved")
    did("through", get, "moved")


@case
def unlinked_open():
    fd = os.open("file", RW)
    os.write(fd, b"a" * 50000)
    did("unlink", os.unlink, "file")
    did("read", os.pread, fd, 60000, 0)
    did("write", os.pwrite, fd, b"b" * 30000, 40000)
    did("truncate", os.ftruncate, fd, 60000)
    did("read", os.pread, fd, 90000, 0)
    did("links", lambda: os.fstat(fd).st_nlink)
    did("chmod", os.fchmod, fd, 0o600)
    did("new one", put, "file", b"new")
    did("old one", os.pread, fd, 90000, 0)
    did("new one", get, "file")
    did("sync", os.fsync, fd)


@case
def xattr():
    put("file")
    os.mkdir("dir")
    for name in ("file", "dir"):
        did("set", os.setxattr, name, "user.note", b"first")
        did("get", os.getxattr, name, "user.note")
        did("create", os.setxattr, name, "user.note", b"x", os.XATTR_CREATE)
        did("replace none", os.setxattr, name, "user.none", b"x", os.XATTR_REPLACE)
        did("empty", os.setxattr, name, "user.empty", b"")
        did("list", lambda: sorted(os.listxattr(name)))
        did("remove", os.removexattr, name, "user.note")
        did("removed", os.getxattr, name, "user.note")
        did("remove none", os.removexattr, name, "user.note")
        did("trusted", os.setxattr, name, "trusted.note", b"x")
        did("large", os.setxattr, name, "user.large", b"l" * 3000)
        did("large", os.getxattr, name, "user.large")
        did("too large", os.setxattr, name, "user.huge", b"l" * 70000)
        did("no such class", os.setxattr, name, "nonsense.x", b"1")


@case
def acl():
    put("file")
    did("set", run, "setfacl -m u:65534:rw,g:65534:r file && getfacl -n --omit-header file")
    did("facts", facts, "file")
    did("mask", run, "chmod 640 file && getfacl -n --omit-header file")
    did("removed", run, "setfacl -b file && getfacl -n --omit-header file")
    put("closed")
    did("shut out", run, f"setfacl -m u:{os.getuid()}:0 closed; chmod 000 closed; cat closed 2>&1 | grep -o denied")


@case
def default_acl():
    os.mkdir("dir")
    did("set", run, "setfacl -d -m u:65534:rwx,o::- dir && getfacl -n --omit-header dir")
    for mask in (0, 0o77):
        os.umask(mask)
        for mode in (0o666, 0o640, 0o777):
            name = f"dir/{mask:o}-{mode:o}"
            os.close(os.open(name, RW, mode))
            did("file", run, f"getfacl -n --omit-header {name}")
            did("facts", facts, name)
        os.mkdir(f"dir/sub{mask:o}", 0o755)
        did("directory", run, f"getfacl -n --omit-header dir/sub{mask:o}")


@case
def utimens():
    put("file", b"x" * 20000)
    times = lambda: [os.stat("file").st_atime_ns, os.stat("file").st_mtime_ns]
    did("set", os.utime, "file", ns=(1234567890123456789, 987654321987654321))
    did("seen", times)
    did("old", os.utime, "file", (-5, -7))
    did("seen", times)
    fd = os.open("file", os.O_RDWR)
    os.pwrite(fd, b"y", 0)
    did("by descriptor", os.utime, fd, (10, 20))
    os.fsync(fd)
    os.close(fd)
    did("seen", lambda: os.stat("file").st_mtime)
    did("of a link", lambda: (os.symlink("file", "l"), os.utime("l", (1, 2), follow_symlinks=False)) and os.lstat("l").st_mtime)
    did("future", os.utime, "file", (1 << 33, 1 << 33))
    did("seen", times)
    before = os.stat("file").st_ctime_ns
    time.sleep(0.02)
    os.chmod("file", 0o600)
    did("ctime moves", lambda: os.stat("file").st_ctime_ns > before)
    os.utime("file", (1, 1))
    get("file")
    with open("file", "ab") as file:
        file.write(b"more")
    did("mtime moves", lambda: os.stat("file").st_mtime > 1)


@case
def modes():
    put("file", b"x" * 100)
    for mode in (0o000, 0o200, 0o400, 0o644, 0o1644, 0o4755, 0o2755, 0o6755):
        did("chmod", os.chmod, "file", mode)
        did("facts", facts, "file")
        did("read", os.open, "file", os.O_RDONLY)
        did("write", os.open, "file", os.O_WRONLY)
        did("access", os.access, "file", os.X_OK)
    os.chmod("file", 0o6755)
    with open("file", "r+b") as file:
        file.write(b"y")
    did("written", facts, "file")
    os.chmod("file", 0o6755)
    os.truncate("file", 5)
    did("truncated", facts, "file")
    did("give away", os.chown, "file", 0, -1)
    did("own again", os.chown, "file", os.getuid(), os.getgid())
    did("facts", facts, "file")


@case
def setgid():
    # The directory was given another group and the set-group-id bit.
    group = os.stat(".").st_gid
    did("other group", lambda: group != os.getgid())
    for mode in (0o664, 0o2664, 0o2775):
        name = f"{mode:o}"
        os.close(os.open(name, RW, mode))
        did("facts", facts, name)
        did("group", lambda: os.stat(name).st_gid == group)
        did("chmod", os.chmod, name, 0o2775)
        did("facts", facts, name)
    os.mkdir("dir")
    did("directory", facts, "dir")
    os.mkfifo("dir/fifo")
    did("group", lambda: os.stat("dir/fifo").st_gid == group)


@case
def long_names():
    for name in ("n" * 255, "n" * 256, "信" * 85, "信" * 86, b"\xff\xfe latin".decode("latin-1"), " ", "a\nb", "-"):
        did("create", put, name, b"x" * 17000)
        did("read", get, name)
        did("mkdir", os.mkdir, name[:120] + "d")
    did("bytes", put, b"\xff\xfe", b"bytes")
    did("bytes", get, b"\xff\xfe")
    deep = "/".join(["d" * 200] * 15)
    did("deep", os.makedirs, deep)
    did("deep", put, deep + "/file", b"deep")
    did("deep", get, deep + "/file")
    did("names", lambda: sorted(os.fsencode(name).hex() for name in os.listdir(".")))


@case
def large_directory():
    os.mkdir("dir")
    for index in range(5000):
        os.close(os.open(f"dir/file {index:05}", RW))
    did("names", lambda: hashlib.sha256("".join(sorted(os.listdir("dir"))).encode()).hexdigest())
    did("kinds", lambda: sum(entry.is_file() for entry in os.scandir("dir")))
    # Removing while reading must not leave any out.
    with os.scandir("dir") as entries:
        for entry in entries:
            os.unlink(entry.path)
    did("empty", os.rmdir, "dir")


@case
def huge_offset():
    fd = os.open("file", RW)
    for at in (1 << 32, 1 << 40, 15 << 40):
        did("pwrite", os.pwrite, fd, b"far away", at)
        did("pread", os.pread, fd, 20, at - 5)
        did("size", lambda: os.fstat(fd).st_size)
    did("hole", os.pread, fd, 100, 7 << 40)
    did("shrink", os.ftruncate, fd, (1 << 32) + 3)
    did("pread", os.pread, fd, 20, 1 << 32)


@case
def mmap_shared():
    fd = os.open("file", RW)
    os.ftruncate(fd, 100000)
    first, second = mmap.mmap(fd, 100000), mmap.mmap(os.open("file", os.O_RDWR), 100000)
    first[5000:5010] = b"0123456789"
    did("other mapping", lambda: second[5000:5010])
    did("read", os.pread, fd, 10, 5000)
    os.pwrite(fd, b"written", 99990)
    did("mapping", lambda: first[99985:100000])
    first[16380:16390] = b"across two"
    did("flush", first.flush)
    first.close(), second.close(), os.close(fd)
    did("content", get, "file")
    private = mmap.mmap(os.open("file", os.O_RDONLY), 100000, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    private[0:5] = b"mine!"
    did("untouched", lambda: get("file")[:8])


@case
def flock():
    a, b = os.open("file", RW), os.open("file", os.O_RDWR)
    did("exclusive", fcntl.flock, a, fcntl.LOCK_EX)
    did("other", fcntl.flock, b, fcntl.LOCK_SH | fcntl.LOCK_NB)
    did("down", fcntl.flock, a, fcntl.LOCK_SH)
    did("other", fcntl.flock, b, fcntl.LOCK_SH | fcntl.LOCK_NB)
    did("up", fcntl.flock, a, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(b)
    did("up", fcntl.flock, a, fcntl.LOCK_EX | fcntl.LOCK_NB)
    did("elsewhere", run, "flock -n file true")


OTHER_PROCESS = """
import errno, fcntl, os, sys
fd = os.open("file", os.O_RDWR)
try:
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, int(sys.argv[2]), int(sys.argv[1]))
    print("locked")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def other_process(at, length):
    done = subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(at), str(length)], capture_output=True, text=True)
    return done.stdout + done.stderr


@case
def fcntl_lock():
    fd = os.open("file", RW)
    did("range", fcntl.lockf, fd, fcntl.LOCK_EX, 100, 50)
    did("beside", other_process, 0, 50)
    did("within", other_process, 120, 1)
    did("let go", fcntl.lockf, fd, fcntl.LOCK_UN, 10, 120)
    did("within", other_process, 120, 5)
    did("left", other_process, 130, 1)
    os.close(os.open("file", os.O_RDONLY))
    did("a close of any", other_process, 50, 100)


@case
def ofd_lock():
    lock = lambda kind, at, length: struct.pack("hhqqi4x", kind, os.SEEK_SET, at, length, 0)
    a, b = os.open("file", RW), os.open("file", os.O_RDWR)
    did("one", lambda: fcntl.fcntl(a, F_OFD_SETLK, lock(fcntl.F_WRLCK, 0, 10)) and None)
    did("other", lambda: fcntl.fcntl(b, F_OFD_SETLK, lock(fcntl.F_WRLCK, 5, 10)) and None)
    did("beside", lambda: fcntl.fcntl(b, F_OFD_SETLK, lock(fcntl.F_WRLCK, 10, 10)) and None)
    did("process", other_process, 0, 1)
    os.close(a)
    did("freed", lambda: fcntl.fcntl(b, F_OFD_SETLK, lock(fcntl.F_WRLCK, 0, 10)) and None)


APPENDER = """
import os, sys
fd = os.open("file", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
for _ in range(2000): os.write(fd, (sys.argv[1] * 49 + "\\n").encode())
"""


@case
def append_two():
    running = [subprocess.Popen([sys.executable, "-c", APPENDER, letter]) for letter in "ab"]
    did("ends", lambda: [one.wait() for one in running])
    lines = get("file").split(b"\n")
    did("lines", lambda: len(lines))
    did("whole", lambda: all(len(line) == 49 and len(set(line)) == 1 for line in lines[:-1]))
    did("sorted", lambda: hashlib.sha256(b"".join(sorted(lines))).hexdigest())


@case
def fsync():
    fd = os.open("file", RW)
    for size in (1, 20000, 500000):
        did("write", os.write, fd, b"s" * size)
        did("fsync", os.fsync, fd)
        did("fdatasync", os.fdatasync, fd)
    did("directory", os.fsync, os.open(".", os.O_RDONLY))
    sync = os.open("file", os.O_RDWR | os.O_SYNC)
    did("O_SYNC", os.pwrite, sync, b"t" * 30000, 5)
    did("content", get, "file")


@case
def special_files():
    did("fifo", os.mkfifo, "fifo", 0o640)
    did("facts", facts, "fifo")
    server = socket.socket(socket.AF_UNIX)
    did("bind", server.bind, "socket")
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    did("connect", client.connect, "socket")
    did("mknod", os.mknod, "regular", 0o640 | stat.S_IFREG)
    did("facts", facts, "regular")
    did("device", os.mknod, "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    put("regular", b"after mknod")
    did("content", get, "regular")


@case
def copies_in_kernel():
    put("from", random.Random(3).randbytes(300000))
    source, target = os.open("from", os.O_RDONLY), os.open("to", RW)
    did("copy_file_range", lambda: sum(iter(lambda: os.copy_file_range(source, target, 70000), 0)))
    did("to", get, "to")
    os.lseek(source, 0, os.SEEK_SET)
    did("sendfile", lambda: sum(iter(lambda: os.sendfile(target, source, None, 65536), 0)))
    did("to", get, "to")
    did("vectors", os.pwritev, target, [b"one" * 9000, b"two", b"three" * 4000], 12345)
    parts = [bytearray(7), bytearray(20000)]
    did("vectors", os.preadv, target, parts, 12340)
    did("parts", lambda: parts[0] + parts[1])


@case
def random_operations():
    dice = random.Random(SEED)
    names = ["a", "b", "c"]
    open_files = {name: os.open(name, RW) for name in names}
    limit = 400000
    for step in range(int(os.environ.get("STEPS", "3000"))):
        name = dice.choice(names)
        fd = open_files[name]
        act = dice.randrange(14)
        at = dice.choice([dice.randrange(limit), 16384 * dice.randrange(24)])
        length = dice.choice([1, dice.randrange(200), dice.randrange(70000)])
        if act <= 3:
            did(f"{step} write", os.pwrite, fd, dice.randbytes(length), at)
        elif act <= 6:
            did(f"{step} read", os.pread, fd, length, at)
        elif act == 7:
            did(f"{step} truncate", os.ftruncate, fd, dice.randrange(limit))
        elif act == 8:
            did(f"{step} punch", fallocate, fd, 3, at, max(1, length))
        elif act == 9:
            os.close(fd)
            open_files[name] = os.open(name, os.O_RDWR)
        elif act == 10:
            did(f"{step} whole", get, name)
        elif act == 11:
            did(f"{step} sync", os.fsync, fd)
        elif act == 12:
            other = dice.choice(names)
            did(f"{step} rename", renameat2, name, other, 2)
            open_files[name], open_files[other] = open_files[other], open_files[name]
        else:
            size = os.fstat(fd).st_size
            did(f"{step} size", lambda: size)
            if size > 100:
                with mmap.mmap(fd, size) as mapped:
                    at = dice.randrange(size - 50)
                    mapped[at : at + 50] = dice.randbytes(50)
    for name in names:
        did("at the end", get, name)


@case
def sqlite_wal():
    database = sqlite3.connect("db.sqlite")
    did("mode", lambda: database.execute("pragma journal_mode=wal").fetchone()[0])
    database.execute("create table t(a integer primary key, b text)")
    for index in range(200):
        database.execute("insert into t values(?, ?)", (index, f"{index}" * 300))
        database.commit()
    second = sqlite3.connect("db.sqlite")
    did("second", lambda: second.execute("select count(*) from t").fetchone()[0])
    database.execute("update t set b = b || 'x' where a % 3 = 0")
    did("not yet", lambda: second.execute("select count(*) from t where b like '%x'").fetchone()[0])
    database.commit()
    did("now", lambda: second.execute("select count(*) from t where b like '%x'").fetchone()[0])
    did("checkpoint", lambda: database.execute("pragma wal_checkpoint(truncate)").fetchone()[0])
    second.close(), database.close()
    third = sqlite3.connect("db.sqlite")
    did("whole", lambda: third.execute("pragma integrity_check").fetchone()[0])
    did("sum", lambda: third.execute("select count(*), sum(length(b)) from t").fetchone())


@case
def git():
    as_one = "git -c user.name=a -c user.email=a@b -c core.fsync=none -c init.defaultBranch=main"
    did("init", run, f"{as_one} init -q repo; cd repo; for i in $(seq 60); do seq $i > f$i; done; {as_one} add .; {as_one} commit -qm one")
    did("change", run, f"cd repo; for i in 3 5 7; do echo more >> f$i; done; git diff --stat | tail -1; {as_one} commit -qam two")
    did("branch", run, f"cd repo; {as_one} checkout -q -b side HEAD~1; cat f3; {as_one} checkout -q main; tail -1 f3")
    did("gc", run, "cd repo; git gc -q; git fsck --strict 2>&1; git status --short; git log --oneline | wc -l")
    did("clone", run, "git clone -q repo clone 2>&1; diff -r -x .git repo clone && echo same")


@case
def copying_tools():
    os.makedirs("from/sub")
    for index in range(40):
        put(f"from/sub/{index}", random.Random(index).randbytes(index * 999))
    os.truncate("from/sub/39", 900000)
    os.symlink("sub/1", "from/link")
    os.link("from/sub/2", "from/hard")
    run("setfacl -m u:65534:r from/sub/3; setfattr -n user.k -v v from/sub/4; touch -d @5000 from/sub/5; chmod 600 from/sub/6")
    describe = "find . -printf '%P %M %n %l %y ' -type f -printf '%s' -printf '\\n' | sort; cat sub/* | sha256sum; getfacl -n sub/3; getfattr -d sub/4; stat -c %Y sub/5"
    did("cp", run, f"cp -a from cp && cd cp && ({describe}) | sha256sum")
    did("tar", run, "tar --acls --xattrs -cf t.tar from && mkdir t && tar --acls --xattrs -C t -xf t.tar && diff -r from t/from && getfacl -n t/from/sub/3; getfattr -d t/from/sub/4; stat -c %Y t/from/sub/5")
    did("mv", run, "mv from/sub moved && ls moved | wc -l")
    if shutil.which("rsync"):
        did("rsync", run, "rsync -a cp/ r/ && diff -r cp r && echo same")
    did("zip", run, f"{sys.executable} -m zipfile -c z.zip cp/sub/ && {sys.executable} -m zipfile -e z.zip z && diff -r cp/sub z/sub && echo same")


def main():
    global SEED
    if sys.argv[1] == "--list":
        print(json.dumps(list(CASES)))
        return
    SEED = int(sys.argv[2])
    os.umask(0o22)
    CASES[sys.argv[1]]()
    print(json.dumps(TRACE))


main()
