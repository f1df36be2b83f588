/**
 * Runs inside a sealed session: takes orders as JSON lines on standard input, one answer a line.
 *
 * An answer to a write means that the bytes were acknowledged by fsync. What a killed file system
 * does to a descriptor (ENOTCONN, EIO, ESTALE, ECONNABORTED) is answered as an application does:
 * by opening the file anew and doing the same again. Any other error is told.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate, setTimeout } from 'node:timers';

const PASSING = new Set(['ENOTCONN', 'EIO', 'ESTALE', 'ECONNABORTED']);
const RETRY_MS = 5;
const open = new Map();

/** `length` bytes of `text` repeated; the test makes the same. */
function fill(text, length) {
  return Buffer.alloc(length, text);
}

function descriptor(path, flags) {
  let fd = open.get(path);
  if (fd === undefined) {
    fd = openSync(path, flags);
    open.set(path, fd);
  }
  return fd;
}

function drop(path) {
  const fd = open.get(path);
  open.delete(path);
  try {
    if (fd !== undefined) closeSync(fd);
  } catch {
    // The file system is dead: the descriptor is gone all the same.
  }
}

function writeAll(fd, bytes, at) {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at === null ? null : at + done);
  }
}

function syncFolder(path) {
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeNew(path, bytes) {
  const fd = openSync(path, 'w');
  try {
    writeAll(fd, bytes, null);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const ACTS = {
  /** `again`: an attempt before may have left a part of the bytes. */
  append({ path, at, text, length }, again) {
    const fd = descriptor(path, 'a');
    if (again && fstatSync(fd).size > at) ftruncateSync(fd, at);
    writeAll(fd, fill(text, length), null);
    fsyncSync(fd);
  },
  overwrite({ path, at, text, length }) {
    const fd = descriptor(path, 'r+');
    writeAll(fd, fill(text, length), at);
    fsyncSync(fd);
  },
  save({ path, text, length }) {
    const temporary = `${path}.saving`;
    writeNew(temporary, fill(text, length));
    renameSync(temporary, path);
    syncFolder(path);
  },
  create({ path, text, length }) {
    writeNew(path, fill(text, length));
    syncFolder(path);
  },
  trim({ path, size }) {
    drop(path);
    const fd = openSync(path, 'r+');
    if (fstatSync(fd).size > size) ftruncateSync(fd, size);
    fsyncSync(fd);
    closeSync(fd);
  },
  close({ path }) {
    drop(path);
  },
  content({ path }) {
    return { base64: readFileSync(path).toString('base64') };
  },
  digests({ paths }) {
    return { digests: paths.map((path) => digestOf(path)) };
  },
  view() {
    return { namespace: statSync('/proc/self/ns/mnt').ino };
  },
};

function digestOf(path) {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (thrown) {
    return String(thrown.code);
  }
}

function attempt(order, tries) {
  try {
    say({ id: order.id, ok: true, tries, ...ACTS[order.act](order, tries > 0) });
  } catch (thrown) {
    drop(order.path);
    if (!PASSING.has(thrown.code)) {
      say({ id: order.id, ok: false, error: `${order.act} ${order.path}: ${thrown.message}` });
      return;
    }
    setTimeout(attempt, RETRY_MS, order, tries + 1);
  }
}

function say(answer) {
  writeAll(1, Buffer.from(`${JSON.stringify(answer)}\n`), null);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  setImmediate(attempt, order, 0);
});
say({ id: 0, ok: true });
