#!/usr/bin/env python3
"""Puts links in the place of files, and the files back, as fast as it can, until it is killed.

usage: swap-links.py symlink|hardlink TARGET FILE...
Somebody privileged who opens by name what was looked at before now acts upon TARGET.
"""
import os
import sys

kind, target, files = sys.argv[1], sys.argv[2], sys.argv[3:]
print("swapping", flush=True)
while True:
    for path in files:
        kept = path + ".kept"
        try:
            os.rename(path, kept)
            try:
                if kind == "symlink":
                    os.symlink(target, path)
                else:
                    os.link(target, path)
            except OSError:
                pass
            os.rename(kept, path)
        except OSError:
            pass
