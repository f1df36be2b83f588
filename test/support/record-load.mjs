/**
 * Appends records as fast as it can and prints each acknowledged sequence; for being killed.
 *
 * Arguments: state directory, private key (PKCS#8 DER, base64), public key (hex).
 */
import { Buffer } from 'node:buffer';
import { createPrivateKey, sign } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openTrail } from '../../dist/agent/records/open-trail.js';

const [stateDir, privateDer, publicKey] = process.argv.slice(2);
const key = createPrivateKey({
  key: Buffer.from(privateDer, 'base64'),
  format: 'der',
  type: 'pkcs8',
});
const opened = await openTrail({
  stateDir,
  checkpointEveryRecords: 200,
  signer: {
    device: 'd'.repeat(32),
    publicKey,
    sign: (message) => sign(null, Buffer.from(message), key).toString('hex'),
  },
});
if (!opened.ok) throw new Error(opened.error.detail);
const clean = process.argv[5] === 'stop';
for (let number = 0; !clean; number++) {
  const event = {
    kind: 'operation',
    operation: 'open',
    object: { path: `/w/${String(number)}` },
    outcome: 'done',
  };
  const done = opened.value.append(event).then((result) => {
    // Written at once, by a plain write(2): what was printed was acknowledged.
    if (result.ok) writeSync(1, `${String(result.value.seq)} ${result.value.id}\n`);
  });
  if (number % 64 === 63) await done;
}
await opened.value.close();
