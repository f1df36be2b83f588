/**
 * The Node entry of the Cedar engine and SHA-256, in the shape that core asks for.
 *
 * Layer: platform. Knows no policy. The engine is WebAssembly, loaded and compiled at import.
 */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import type { CedarEngine, PolicyTools } from '../core/policy/cedar-engine.js';

// V8 of Node 20 (11.3) inlines calls into WebAssembly and dies ("unreachable code" in the
// deoptimizer) when such a call sat inside a try block: an agent would end in the middle of its
// work, after some thousand decisions. Seen on Node 20.20, 2026-11; not seen without the inlining.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** The engine's types are mutable where ours are read-only; it does not change what it is given. */
const engine = cedar as unknown as CedarEngine;

export const POLICY_TOOLS: PolicyTools = {
  cedar: engine,
  sha256Hex: (text) => createHash('sha256').update(text, 'utf8').digest('hex'),
};
