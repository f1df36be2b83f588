/** Both ends of the protocol are held to test/vectors/sessiond; this is the agent's end. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { AgentToSessiond, SessiondToAgent } from './sessiond.js';

interface Row {
  readonly id?: string;
  readonly from: 'agent' | 'client' | 'sessiond';
  readonly to: 'agent' | 'client' | 'sessiond';
  readonly message: { readonly type: string };
}

/** Throws when there is nothing: a suite without inputs must not pass. */
function load(name: string): Row[] {
  const url = new URL(`../../test/vectors/sessiond/${name}`, import.meta.url);
  const lines = readFileSync(url, 'utf8').trim().split('\n');
  if (lines.length < 10) throw new Error(`vectors are missing: ${name}`);
  return lines.map((line) => JSON.parse(line) as Row);
}

const transcript = load('transcript.jsonl');

describe('the golden transcript', () => {
  const toAgent = transcript.filter(({ to }) => to === 'agent');
  const fromAgent = transcript.filter(({ from }) => from === 'agent');

  it.each(toAgent.map(({ message }, index) => ({ id: `${message.type}-${index}`, message })))(
    '$id is taken from sessiond',
    ({ message }) => {
      expect(SessiondToAgent.parse(message)).toEqual(message);
    },
  );

  it.each(fromAgent.map(({ message }, index) => ({ id: `${message.type}-${index}`, message })))(
    '$id may be sent to sessiond',
    ({ message }) => {
      expect(AgentToSessiond.parse(message)).toEqual(message);
    },
  );

  it.each(toAgent.map(({ message }, index) => ({ id: `${message.type}-${index}`, message })))(
    '$id with one key more is refused',
    ({ message }) => {
      expect(SessiondToAgent.safeParse({ ...message, extra: 1 }).success).toBe(false);
    },
  );

  it('shows every type of message', () => {
    const shown = new Set([...toAgent, ...fromAgent].map(({ message }) => message.type));
    const known = [...AgentToSessiond.options, ...SessiondToAgent.options].map(
      ({ shape }) => shape.type.value,
    );
    expect(known.filter((type) => !shown.has(type))).toEqual([]);
  });
});

describe('messages that sessiond would refuse', () => {
  const wrong = load('refused.jsonl').filter(({ from }) => from === 'agent');
  it.each(wrong.map(({ id, message }) => ({ id, message })))('$id is never sent', ({ message }) => {
    expect(AgentToSessiond.safeParse(message).success).toBe(false);
  });
});
