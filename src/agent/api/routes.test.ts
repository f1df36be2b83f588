import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { LOCAL_REQUESTS, LOCAL_STREAMS } from '../../contracts/local-api.js';
import { fail, succeed } from '../../core/errors/result.js';
import { silentLogger } from '../../platform/logger.js';
import type { Caller } from './caller.js';
import type { LocalHandlers } from './handlers.js';
import { buildRoutes } from './routes.js';
import { LocalSockets } from './sockets.js';

const OWN = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: 'me', home: '/' };

/** Handlers that answer with who asked; one of them has a bug, one fails as expected. */
function handlers(): LocalHandlers {
  const echo = (caller: Caller): Promise<ReturnType<typeof succeed>> =>
    Promise.resolve(succeed({ uid: caller.uid }));
  return {
    plain: {
      status: echo,
      folders: () => Promise.resolve(fail('E_FOLDER_NOT_FOUND', 'as expected')),
      sessions: () => Promise.reject(new Error('secret internals')),
      doctor: echo,
      stop: echo,
      open: echo,
      'audit-tail': echo,
    },
    progress: {
      protect: (_caller, _body, report) => {
        report({ type: 'finding', path: '/x', code: 'E_IO', detail: 'd' });
        return Promise.resolve(succeed({ sealed: 2, skipped: 1 }));
      },
      unprotect: () => Promise.resolve(fail('E_MOUNT_BUSY', 'busy')),
    },
    streams: {
      seal: async (_caller, query, body) => {
        const parts: Buffer[] = [];
        for await (const part of body as AsyncIterable<Buffer>) parts.push(part);
        const bytes = Buffer.concat([Buffer.from(`${query.name}:`), ...parts]);
        return succeed({ bytes: Readable.from([bytes]), sizeBytes: bytes.length });
      },
      unseal: () => Promise.resolve(fail('E_DECISION_DENIED', 'rule')),
      import: () => Promise.resolve(succeed({ json: { file: '/f' } })),
    },
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

interface Post {
  readonly body?: string;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

async function withServer(
  role: Caller['role'],
  use: (post: (path: string, options?: Post) => Promise<Answer>) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (directory) => {
    const sockets = new LocalSockets(directory);
    const app = buildRoutes(handlers(), (incoming) => sockets.callerOf(incoming), silentLogger);
    await app.ready();
    const path = join(directory, 'x', 'agent.sock');
    await sockets.open(path, { ...OWN, role }, (incoming, response) => {
      app.routing(incoming, response);
    });
    try {
      await use((route, options) => post(path, route, options));
    } finally {
      await sockets.close();
      await app.close();
    }
  });
}

function post(socketPath: string, path: string, options: Post = {}): Promise<Answer> {
  const headers = { 'content-type': options.type ?? 'application/json', ...options.headers };
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'POST', path, headers }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString('utf8')));
      response.on('end', () => {
        resolve({ status: response.statusCode, text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(options.body ?? '{}');
  });
}

describe('the local API', () => {
  it('knows-who-asks-by-the-socket', async () => {
    await withServer('any-local-user', async (send) => {
      expect(JSON.parse((await send('/v1/status')).text)).toEqual({ uid: OWN.uid });
    });
  });

  it.each(['stop', 'protect', 'unprotect'])(
    'refuses %s to somebody who is no admin',
    async (kind) => {
      await withServer('any-local-user', async (send) => {
        const answer = await send(`/v1/${kind}`, { body: '{"directory":"/a","unseal":false}' });
        expect(answer).toMatchObject({ status: 403 });
        expect(answer.text).toContain('E_API_ROLE');
      });
    },
  );

  it.each([
    { id: 'unknown-key', path: '/v1/status', body: '{"uid":0}', code: 'E_USAGE' },
    { id: 'no-json', path: '/v1/status', body: '{', code: 'E_USAGE' },
    { id: 'relative-path', path: '/v1/open', body: '{"file":"a/b"}', code: 'E_USAGE' },
    { id: 'nul-in-path', path: '/v1/open', body: '{"file":"/a\\u0000b"}', code: 'E_USAGE' },
    { id: 'unknown-kind', path: '/v1/shutdown', body: '{}', code: 'E_API_UNKNOWN' },
    {
      id: 'too-large',
      path: '/v1/open',
      body: `{"file":"/${'a'.repeat(70_000)}"}`,
      code: 'E_USAGE',
    },
    {
      id: 'web-page',
      path: '/v1/status',
      body: '{}',
      headers: { origin: 'http://x' },
      code: 'E_API_ROLE',
    },
    { id: 'expected-failure', path: '/v1/folders', body: '{}', code: 'E_FOLDER_NOT_FOUND' },
  ])('answers $id with its code', async ({ path, code, ...options }) => {
    await withServer('admin', async (send) => {
      const answer = await send(path, options);
      expect(answer.text).toContain(code);
      expect(answer.status).toBeGreaterThanOrEqual(400);
    });
  });

  it('shows-nothing-of-a-bug', async () => {
    await withServer('admin', async (send) => {
      const answer = await send('/v1/sessions');
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain('secret internals');
    });
  });

  it('reports-progress-and-the-end', async () => {
    await withServer('admin', async (send) => {
      const { text } = await send('/v1/protect', { body: '{"directory":"/a"}' });
      expect(text).toContain('"type":"finding"');
      expect(text.trim().endsWith('data: {"type":"done","sealed":2,"skipped":1}')).toBe(true);
    });
  });

  it('reports-a-failure-at-the-end-of-progress', async () => {
    await withServer('admin', async (send) => {
      const { text } = await send('/v1/unprotect', { body: '{"directory":"/a","unseal":true}' });
      expect(text).toContain('E_MOUNT_BUSY');
    });
  });

  it('carries-bytes-both-ways', async () => {
    await withServer('any-local-user', async (send) => {
      const type = 'application/octet-stream';
      const body = 'x'.repeat(300_000);
      expect(await send('/v1/seal?name=n', { type, body })).toEqual({
        status: 200,
        text: `n:${body}`,
      });
    });
  });

  it('refuses-bytes-of-another-type', async () => {
    await withServer('any-local-user', async (send) => {
      const answer = await send('/v1/seal?name=n', { type: 'application/json', body: '{}' });
      expect(answer.text).toContain('octet-stream');
    });
  });
});

describe('the contract', () => {
  it('has-a-route-for-every-kind', async () => {
    const kinds = [...Object.keys(LOCAL_REQUESTS), ...Object.keys(LOCAL_STREAMS)];
    await withServer('admin', async (send) => {
      for (const kind of kinds) {
        expect((await send(`/v1/${kind}`)).text).not.toContain('E_API_UNKNOWN');
      }
    });
  });
});
