#!/usr/bin/env python3
"""Rewrites one document until a file appears: by turns in place and by rename, as editors do.

usage: view-writer.py PATH BLOCKS STOP
Never cuts the file short in place: a reader's mapping past the end would end the reader.
"""
import json
import os
import sys



def main():
    path, blocks, stop = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    writes = 0
    while not os.path.exists(stop):
        block = b"PLAINVIEW-BLOCK" + bytes([65 + writes % 26])
        if writes % 4 == 3:
            # Another size each time, so that a size of the wrong view would show.
            beside = path + ".new"
            with open(beside, "wb") as file:
                file.write(block * (blocks + 16 * (writes % 7)))
                file.flush()
                os.fsync(file.fileno())
            os.rename(beside, path)
        else:
            with open(path, "r+b", buffering=0) as file:
                file.write(block * blocks)
        writes += 1
    print(json.dumps({"writes": writes}))


main()
