/**
 * The type of `canonicalize` (RFC 8785) as Node loads it.
 *
 * Layer: core, types only. The package's own declaration describes an ES module while its code is
 * CommonJS, so TypeScript takes the default export for a namespace.
 */
declare module 'canonicalize' {
  /** Canonical JSON text of `input`; `undefined` for what JSON cannot say (a function, `undefined`). */
  export default function canonicalize(input: unknown): string | undefined;
}
