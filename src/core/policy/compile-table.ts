/**
 * Compiles the verdict table by asking Cedar about every case that can differ.
 *
 * Layer: core. No second implementation of the rules: every verdict in the table is an answer of
 * `decide`. An `ask` is a deny here, since an open cannot wait for an approver. An area that is
 * not in `areas` gets no row, hence no plain view: a rule may treat it in a way nobody evaluated.
 * Spec: docs/spec/policy-set-v1.md, section 7.
 */
import { decide } from './decide.js';
import type { Decision } from './decision.js';
import { nextChangeAtMs, type LocalTime, type TimeOfWeek } from './next-change.js';
import type { PolicySet } from './policy-set.js';
import type { Mentions } from './rule-mentions.js';
import { applicationClass, tableMentions, userClass, type TableUser } from './table-classes.js';
import type { TableExecutable, TableRow, TableVerdict, VerdictTable } from './verdict-table.js';
import type { DeviceFacts } from './vocabulary.js';

export interface TableInput {
  readonly set: PolicySet;
  readonly users: readonly TableUser[];
  /** Every area whose files may be on this machine. */
  readonly areas: readonly string[];
  readonly executables: readonly TableExecutable[];
  readonly device: DeviceFacts;
  readonly offline: boolean;
  readonly nowMs: number;
  readonly localTime: LocalTime;
}

/** What the table cost; shown to whoever changes the policy. */
export interface TableCost {
  readonly rows: number;
  readonly evaluations: number;
  readonly userClasses: number;
  readonly applicationClasses: number;
  readonly areas: number;
}

export interface CompiledTable {
  readonly table: VerdictTable;
  readonly cost: TableCost;
  /** Decisions that came from an error, each a deny; to be recorded. */
  readonly faults: readonly string[];
}

/** One case that Cedar is asked about: a class of users, a class of applications, label, area. */
export interface TableCase {
  readonly user: TableUser;
  readonly application: string;
  readonly label: string;
  readonly area: string;
}

export interface TableCell {
  readonly open: TableVerdict;
  readonly modify: TableVerdict;
  readonly ruleIds: readonly string[];
}

/** `"*"` when no rule looks at areas, so that one row serves all. */
function areasOf(input: TableInput, mentions: Mentions): readonly string[] {
  return mentions.attributes.has('area') ? [...new Set(input.areas)].sort() : ['*'];
}

function decideCase(
  input: TableInput,
  operation: 'open' | 'modify',
  { user, application, label, area }: TableCase,
  time: TimeOfWeek,
): Decision {
  return decide(input.set, {
    operation,
    user: user.facts,
    device: input.device,
    application,
    file: { id: 'any', label, area, owner: null },
    destination: null,
    toLabel: null,
    situation: {
      ...time,
      ...user.window,
      offline: input.offline,
      justified: false,
      people: 0,
      findings: [],
      session: '',
    },
    approvals: [],
  });
}

/** Asks Cedar and remembers: the answers of one compilation, by class. */
class CellCache {
  evaluations = 0;
  readonly faults = new Set<string>();
  readonly cases: { readonly item: TableCase; readonly cell: TableCell }[] = [];
  readonly #cells = new Map<string, TableCell>();
  readonly #input: TableInput;

  constructor(input: TableInput) {
    this.#input = input;
  }

  cell(key: string, item: TableCase, time: TimeOfWeek): TableCell {
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const cell = this.evaluate(item, time);
    this.#cells.set(key, cell);
    this.cases.push({ item, cell });
    return cell;
  }

  evaluate(item: TableCase, time: TimeOfWeek): TableCell {
    this.evaluations += 2;
    const open = decideCase(this.#input, 'open', item, time);
    const modify = decideCase(this.#input, 'modify', item, time);
    for (const { error } of [open, modify]) {
      if (error !== null) this.faults.add(`${error.code}: ${error.detail}`);
    }
    return {
      open: open.verdict === 'allow' ? 'allow' : 'deny',
      modify: modify.verdict === 'allow' ? 'allow' : 'deny',
      ruleIds: [...new Set([...open.ruleIds, ...modify.ruleIds])].sort(),
    };
  }
}

interface Classes {
  readonly users: readonly { readonly user: TableUser; readonly key: string }[];
  readonly applications: readonly { readonly id: string; readonly key: string }[];
  readonly areas: readonly string[];
}

function classify(input: TableInput, mentions: Mentions): Classes {
  return {
    users: input.users.map((user) => ({ user, key: userClass(mentions, user) })),
    applications: input.set.applications.applications.map((application) => ({
      id: application.id,
      key: applicationClass(mentions, application),
    })),
    areas: areasOf(input, mentions),
  };
}

function compileRows(
  input: TableInput,
  classes: Classes,
  cells: CellCache,
  time: TimeOfWeek,
): readonly TableRow[] {
  const rows: TableRow[] = [];
  for (const { user, key: userKey } of classes.users) {
    for (const { id, key: applicationKey } of classes.applications) {
      for (const { name: label } of input.set.labels) {
        for (const area of classes.areas) {
          const key = `${userKey}|${applicationKey}|${label}|${area}`;
          const cell = cells.cell(key, { user, application: id, label, area }, time);
          rows.push({ uid: user.uid, application: id, label, area, ...cell });
        }
      }
    }
  }
  return rows;
}

function distinctKeys(items: readonly { readonly key: string }[]): number {
  return new Set(items.map(({ key }) => key)).size;
}

/** Compiles the table for this machine at `nowMs`. Total; faults are denies and are listed. */
export function compileTable(input: TableInput): CompiledTable {
  const { set, nowMs } = input;
  const mentions = tableMentions(set);
  const classes = classify(input, mentions);
  const cells = new CellCache(input);
  const rows = compileRows(input, classes, cells, input.localTime(nowMs));
  const changes = nextChangeAtMs({
    mentions,
    nowMs,
    localTime: input.localTime,
    cases: cells.cases,
    evaluate: (item, time) => cells.evaluate(item, time),
  });
  const table: VerdictTable = {
    version: set.version,
    compiledAtMs: nowMs,
    nextChangeAtMs: changes,
    labels: set.labels.map(({ name, level, barrier, recordSealedOpens }) => ({
      name,
      level,
      barrier,
      recordSealedOpens,
    })),
    applications: set.applications.applications.map(({ id, childrenPlain, executables }) => ({
      id,
      childrenPlain,
      anyExecutable: executables === '*',
    })),
    executables: input.executables,
    rows,
  };
  const cost: TableCost = {
    rows: rows.length,
    evaluations: cells.evaluations,
    userClasses: distinctKeys(classes.users),
    applicationClasses: distinctKeys(classes.applications),
    areas: classes.areas.length,
  };
  return { table, cost, faults: [...cells.faults].sort() };
}
