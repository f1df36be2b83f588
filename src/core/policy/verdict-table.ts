/**
 * The verdict table: what sealfs looks up instead of asking policy.
 *
 * Layer: core. The shape that crosses to sealfs, and the look-up rule both sides keep.
 * Spec: docs/spec/sealfs-control-v1.md ("Verdict table"), docs/spec/policy-set-v1.md, section 7.
 * Not here: how it is computed (`compile-table.ts`).
 */

export interface TableLabel {
  readonly name: string;
  readonly level: number;
  readonly barrier: boolean;
  readonly recordSealedOpens: boolean;
}

export interface TableApplication {
  readonly id: string;
  readonly childrenPlain: boolean;
  readonly anyExecutable: boolean;
}

/** An executable that exists and was found safe. Numbers may pass 2^53: decimal strings. */
export interface TableExecutable {
  readonly application: string;
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
  readonly ctimeNs: string;
}

export type TableVerdict = 'allow' | 'deny';

/** `uid` `"*"` = every uid that has no row of its own; `area` `"*"` = every area. */
export interface TableRow {
  readonly uid: number | '*';
  readonly application: string;
  readonly label: string;
  readonly area: string;
  readonly open: TableVerdict;
  readonly modify: TableVerdict;
  readonly ruleIds: readonly string[];
}

export interface VerdictTable {
  /** Version of the policy set it was compiled from. */
  readonly version: string;
  readonly compiledAtMs: number;
  /** When a rule may answer differently; compile again then. `null`: not by time alone. */
  readonly nextChangeAtMs: number | null;
  readonly labels: readonly TableLabel[];
  readonly applications: readonly TableApplication[];
  readonly executables: readonly TableExecutable[];
  readonly rows: readonly TableRow[];
}

/**
 * The row that counts: a row of the uid goes before `"*"`, then a row of the area before `"*"`.
 * `null` means deny. The reference for sealfs, which keeps an index instead of searching.
 */
export function lookUp(
  table: Pick<VerdictTable, 'rows'>,
  uid: number,
  application: string,
  label: string,
  area: string,
): TableRow | null {
  const rows = table.rows.filter((row) => row.application === application && row.label === label);
  for (const who of [uid, '*'] as const) {
    for (const where of [area, '*']) {
      const found = rows.find((row) => row.uid === who && row.area === where);
      if (found !== undefined) return found;
    }
  }
  return null;
}
