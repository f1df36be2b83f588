/**
 * Answers the writer's requests from a `TrailStore`; what the worker thread runs.
 *
 * Layer: agent. After a failed batch every further batch is refused until `resume`: otherwise
 * batches already on their way would overtake the one that failed.
 */
import { codeOfSqlite, sqliteResultOf } from '../../platform/sql/sqlite-failure.js';
import type { TrailReply, TrailRequest, TrailWorkerSetup } from './trail-protocol.js';
import { TrailStore } from './trail-store.js';

type Append = Extract<TrailRequest, { type: 'append' }>;

/** Opens the store, replies `ready` or `not-opened`, and returns what handles requests. */
export function serveTrail(
  setup: TrailWorkerSetup,
  reply: (reply: TrailReply) => void,
): (request: TrailRequest) => void {
  const opened = TrailStore.open(setup.path, setup.device);
  if (!opened.ok) {
    reply({ type: 'not-opened', code: opened.error.code, detail: opened.error.detail });
    return () => undefined;
  }
  const store = opened.value;
  reply({ type: 'ready', end: store.end(setup.anchorSeq) });
  let refusing = false;
  const append = ({ batch, text }: Append): void => {
    if (refusing) {
      reply({ type: 'failed', batch, code: 'E_RECORD_NOT_DURABLE' });
      return;
    }
    try {
      reply({ type: 'appended', batch, head: store.append(text.split('\n')) });
    } catch (thrown) {
      if (sqliteResultOf(thrown) === undefined) throw thrown;
      refusing = true;
      reply({ type: 'failed', batch, code: codeOfSqlite(thrown) });
    }
  };
  return (request) => {
    if (request.type === 'append') append(request);
    else if (request.type === 'resume') refusing = false;
    else if (request.type === 'checkpoint') {
      reply({ ...request, type: 'checkpointed', stored: tryCheckpoint(store, request) });
    } else {
      store.close();
      reply({ type: 'closed' });
    }
  };
}

function tryCheckpoint(
  store: TrailStore,
  { checkpoint }: Extract<TrailRequest, { type: 'checkpoint' }>,
): boolean {
  try {
    store.appendCheckpoint(checkpoint);
    return true;
  } catch (thrown) {
    if (sqliteResultOf(thrown) === undefined) throw thrown;
    return false;
  }
}
