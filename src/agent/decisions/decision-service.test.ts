import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { loadSet } from '../policy/load-set.js';
import { DecisionService, type Act } from './decision-service.js';

const POLICIES = join(import.meta.dirname, '../../../policies');
const NOON = new Date(2026, 10, 18, 12).getTime();
const MIDNIGHT = new Date(2026, 10, 18, 0).getTime();

function exportOf(label: string): Act {
  return {
    uid: 1000,
    userName: 'somebody',
    operation: 'export',
    application: null,
    file: { id: 'f', label, area: 'main', owner: null },
    destination: { id: 'x', kind: 'path', area: '', domain: '', trusted: false },
    sizeBytes: 10,
    justified: false,
  };
}

async function shipped(name: string): Promise<PolicySet> {
  const loaded = await loadSet(join(POLICIES, name), { allowLab: true });
  if (!loaded.ok) throw new Error(loaded.error.detail);
  return loaded.value.set;
}

describe('DecisionService', () => {
  let express: PolicySet;
  let lab: PolicySet;

  beforeAll(async () => {
    express = await shipped('express-delivery');
    lab = await shipped('lab');
  });

  it('lets-nothing-confidential-out-without-somebody-else', () => {
    const service = new DecisionService(
      () => express,
      'd',
      () => NOON,
    );
    expect(service.decide(exportOf('confidential')).verdict).not.toBe('allow');
  });

  it('denies-a-label-that-the-set-does-not-know', () => {
    const service = new DecisionService(
      () => lab,
      'd',
      () => NOON,
    );
    expect(service.decide(exportOf('top-secret')).verdict).toBe('deny');
  });

  it('asks-the-set-that-is-in-force-now', () => {
    let set = lab;
    const service = new DecisionService(
      () => set,
      'd',
      () => NOON,
    );
    expect(service.decide(exportOf('confidential')).verdict).toBe('allow');
    set = express;
    expect(service.decide(exportOf('confidential')).verdict).not.toBe('allow');
  });

  it('knows-night-from-day-by-local-time', () => {
    const open = (now: number): string =>
      new DecisionService(
        () => express,
        'd',
        () => now,
      ).decide({
        ...exportOf('confidential'),
        operation: 'open',
        application: 'libreoffice',
        destination: null,
      }).verdict;
    expect([open(NOON), open(MIDNIGHT)]).toContain('deny');
    expect(open(MIDNIGHT)).toBe('deny');
  });
});
