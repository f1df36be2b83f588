/**
 * The trail's backend in a worker thread, and the one in this thread for unit tests.
 *
 * Layer: agent.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { OpenTrailBackend, TrailReply, TrailRequest } from './trail-protocol.js';
import { serveTrail } from './trail-service.js';

/** The backend of the product. */
export const openWorkerBackend: OpenTrailBackend = (setup) => {
  const worker = new Worker(workerEntry(import.meta.url), { workerData: setup });
  let onReply: (reply: TrailReply) => void = () => undefined;
  let onGone: (reason: string) => void = () => undefined;
  let over = false;
  const gone = (reason: string): void => {
    if (!over) onGone(reason);
    over = true;
  };
  worker.on('message', (reply: TrailReply) => {
    if (reply.type === 'closed' || reply.type === 'not-opened') over = true;
    onReply(reply);
  });
  worker.on('error', (error: unknown) => {
    gone(error instanceof Error ? error.message : String(error));
  });
  worker.on('exit', (code) => {
    gone(`exit ${String(code)}`);
  });
  return {
    post: (request) => {
      worker.postMessage(request);
    },
    listen: (replyListener, goneListener) => {
      onReply = replyListener;
      onGone = goneListener;
    },
    terminate: async () => {
      over = true;
      await worker.terminate();
    },
  };
};

/** The same, without a thread: replies come in later turns of the loop. */
export const openInlineBackend: OpenTrailBackend = (setup) => {
  let onReply: ((reply: TrailReply) => void) | undefined;
  let handle: ((request: TrailRequest) => void) | undefined;
  const reply = (message: TrailReply): void => {
    setImmediate(() => onReply?.(message));
  };
  setImmediate(() => {
    handle = serveTrail(setup, reply);
  });
  return {
    post: (request) => {
      setImmediate(() => handle?.(request));
    },
    listen: (listener) => {
      onReply = listener;
    },
    terminate: () => {
      handle?.({ type: 'close' });
      handle = undefined;
      return Promise.resolve();
    },
  };
};

/**
 * The compiled worker beside this module. Under the test runner this module is TypeScript and has
 * no compiled neighbour; the build keeps one at the same place under dist/.
 */
export function workerEntry(moduleUrl: string): URL {
  const beside = new URL('./trail-worker.js', moduleUrl);
  if (existsSync(fileURLToPath(beside))) return beside;
  const built = new URL(beside.href.replace('/src/agent/records/', '/dist/agent/records/'));
  if (existsSync(fileURLToPath(built))) return built;
  throw new Error('trail-worker.js has not been built: run `npm run build` first');
}
