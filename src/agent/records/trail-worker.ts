/**
 * Entry of the trail's worker thread: SQLite and its fsync live here, off the agent's loop.
 *
 * Layer: agent. Started by `worker-backend.ts` alone.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { TrailRequest, TrailWorkerSetup } from './trail-protocol.js';
import { serveTrail } from './trail-service.js';

const port = parentPort;
if (port === null) throw new Error('trail-worker is started as a worker thread');
const handle = serveTrail(workerData as TrailWorkerSetup, (reply) => {
  port.postMessage(reply);
});
port.on('message', (request: TrailRequest) => {
  handle(request);
  if (request.type === 'close') port.close();
});
