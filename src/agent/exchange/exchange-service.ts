/**
 * Files that come and go through the local API: seal, unseal, import.
 *
 * Layer: agent. Spec: docs/spec/local-api-v1.md.
 * Confused deputy: requests carry bytes, never paths, so the agent opens nothing in a user's name.
 * Order of unseal: bytes received → head authenticated → policy (`export`) → whole-file seal
 *   checked → record durable → first byte of plaintext leaves.
 * Nothing in the clear touches the disk: plaintext is sealed as it arrives and opened as it leaves.
 */
import { Readable } from 'node:stream';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { originNameExtension } from '../../core/container/origin-name.js';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../../platform/errno.js';
import { inspectSealedFile } from '../../platform/container/inspect.js';
import type { KeyLookup } from '../../platform/container/key-lookup.js';
import { openSealed, type OpenedSealedFile } from '../../platform/container/open-sealed.js';
import { sealStream } from '../../platform/container/seal-stream.js';
import type { Caller } from '../api/caller.js';
import type { StreamAnswer, StreamHandlers } from '../api/handlers.js';
import { decisionForRecord, type DecisionService } from '../decisions/decision-service.js';
import type { RecordSink } from '../mounts/event-intake.js';
import { drainSpool, fillSpool, openSpoolFile } from './spool-file.js';

export interface ExchangeParts {
  readonly decisions: DecisionService;
  readonly record: RecordSink;
  readonly keyLookup: KeyLookup;
  readonly deviceId: Uint8Array;
  readonly spoolDirectory: string;
  readonly currentEpoch: (area: string, label: string) => Promise<Result<number>>;
  /** Label and area of a file: as asked for, else as the policy set assigns them. */
  readonly assignmentFor: (
    caller: Caller,
    query: { readonly label?: string | undefined; readonly area?: string | undefined },
  ) => Result<{ readonly label: string; readonly area: string }>;
  /** Mounts the caller's profile folder and returns it. */
  readonly profileOf: (caller: Caller) => Promise<Result<string>>;
}

export class ExchangeService implements StreamHandlers {
  private readonly parts: ExchangeParts;

  constructor(parts: ExchangeParts) {
    this.parts = parts;
  }

  readonly seal: StreamHandlers['seal'] = async (caller, query, body) => {
    const assigned = this.parts.assignmentFor(caller, query);
    if (!assigned.ok) return assigned;
    const { label, area } = assigned.value;
    const epoch = await this.parts.currentEpoch(area, label);
    if (!epoch.ok) return epoch;
    return this.withSpool(async (spool) => {
      const { deviceId } = this.parts;
      const extensions = [originNameExtension(query.name)];
      const options = { area, label, epoch: epoch.value, deviceId, extensions };
      const sealed = await sealStream(
        body as AsyncIterable<Buffer>,
        spool,
        options,
        this.parts.keyLookup,
      );
      if (!sealed.ok) return sealed;
      await this.parts.record({
        kind: 'operation',
        operation: 'modify',
        user: { uid: caller.uid, name: caller.name },
        object: {
          fileId: sealed.value.fileId,
          path: query.name,
          label,
          area,
          sizeBytes: sealed.value.plainSize,
        },
        channel: 'command-line',
        outcome: 'done',
        details: { event: 'seal' },
      });
      return succeed({ bytes: drainSpool(spool), sizeBytes: sealed.value.diskSize });
    });
  };

  readonly unseal: StreamHandlers['unseal'] = async (caller, query, body) =>
    this.withSpool(async (spool) => {
      await fillSpool(spool, body as AsyncIterable<Buffer>);
      const opened = await openSealed(spool, this.parts.keyLookup);
      if (!opened.ok) return opened;
      const allowed = await this.decideExport(caller, query, opened.value);
      if (!allowed.ok) {
        await opened.value.close();
        return allowed;
      }
      const bytes = Readable.from(
        plainBytes(opened.value, () => spool.close()),
        { objectMode: false },
      );
      return succeed({ bytes, sizeBytes: opened.value.plainSize });
    });

  /** Puts a sealed file, as it is, where the caller's sessions show it in plain view. */
  readonly import: StreamHandlers['import'] = async (caller, query, body) => {
    const name = query.name.replaceAll(/[/\0]/g, '_');
    const profile = await this.parts.profileOf(caller);
    if (!profile.ok) return profile;
    return this.withSpool(async (spool) => {
      await fillSpool(spool, body as AsyncIterable<Buffer>);
      const info = await inspectSealedFile(spool);
      if (!info.ok) return info;
      const path = join(profile.value, `${randomBytes(4).toString('hex')}-${name}`);
      const target = await open(path, 'wx', 0o600);
      try {
        await fillSpool(
          target,
          spool.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>,
        );
        // By descriptor: the folder is the caller's own, who could put a link in the file's place.
        if (process.getuid?.() !== caller.uid) await target.chown(caller.uid, caller.gid);
        await target.sync();
      } finally {
        await target.close();
      }
      await spool.close();
      return succeed({ json: { file: path } });
    });
  };

  private async decideExport(
    caller: Caller,
    query: { readonly name: string; readonly justification?: string | undefined },
    opened: OpenedSealedFile,
  ): Promise<Result<void>> {
    const { fileId, label, area } = opened.info;
    const decision = this.parts.decisions.decide({
      uid: caller.uid,
      userName: caller.name,
      operation: 'export',
      application: null,
      file: { id: fileId, label, area, owner: null },
      destination: { id: 'command-line', kind: 'path', area: '', domain: '', trusted: false },
      sizeBytes: opened.plainSize,
      justified: (query.justification ?? '') !== '',
    });
    const allowed = decision.verdict === 'allow';
    const recorded = await this.parts.record({
      kind: 'operation',
      operation: 'export',
      user: { uid: caller.uid, name: caller.name },
      object: { fileId, path: query.name, label, area, sizeBytes: opened.plainSize },
      channel: 'command-line',
      decision: decisionForRecord(decision),
      outcome: allowed ? 'done' : 'refused',
      details: {
        event: 'unseal',
        findings: [...opened.findings],
        ...(query.justification === undefined ? {} : { justification: query.justification }),
      },
    });
    const rules = decision.ruleIds.length === 0 ? 'no rule allows it' : decision.ruleIds.join(', ');
    if (decision.verdict === 'ask') return fail('E_DECISION_ASK', `export of ${label}: ${rules}`);
    if (!allowed) return fail('E_DECISION_DENIED', `export of ${label}: ${rules}`);
    return recorded.ok
      ? succeed(undefined)
      : fail('E_IO', 'the record of this export could not be stored');
  }

  /** Runs `use` with a spool file, which is closed here unless `use` succeeded and took it over. */
  private async withSpool(
    use: (spool: Awaited<ReturnType<typeof openSpoolFile>>) => Promise<Result<StreamAnswer>>,
  ): Promise<Result<StreamAnswer>> {
    let spool;
    try {
      spool = await openSpoolFile(this.parts.spoolDirectory);
      const answer = await use(spool);
      if (!answer.ok) await spool.close();
      return answer;
    } catch (thrown) {
      await spool?.close().catch(() => undefined);
      return failFromThrown(thrown, 'exchange');
    }
  }
}

/** The document's bytes; a frame that fails ends the stream with an error, so the caller sees it cut. */
async function* plainBytes(
  opened: OpenedSealedFile,
  closeSpool: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of opened.chunks()) {
      if (!chunk.ok) throw new Error(chunk.error.code);
      yield chunk.value;
    }
  } finally {
    await opened.close();
    await closeSpool();
  }
}
