import type { LogEventName } from '../log-events.ts';
import type { AuditClass, AuditLine } from './audit-events.ts';

/** An audit event on its way out; several of a kind and source may have become one. */
export interface AuditEvent {
  name: LogEventName;
  line: AuditLine;
  /** What all of them have in common. */
  fields: Readonly<Record<string, unknown>>;
  atMs: number;
  /** How many it stands for, and when the last of them was; only where they are told together. */
  together?: { count: number; untilMs: number };
}

export interface AuditWindowDeps {
  /** Milliseconds since the epoch. */
  clock: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  /** What counts as one source: somebody with an IPv6 network has as many addresses as they like. */
  sourceOf: (address: string) => string;
}

const WINDOW_MS = 10_000;

interface Row {
  singly: number;
  together?: { fields: Record<string, unknown>; atMs: number; untilMs: number; count: number };
}

interface Kind {
  name: LogEventName;
  line: AuditLine;
  rows: Map<string, Row>;
  /** Of the sources for which there was no row. */
  rest: Row;
}

/**
 * Tells what strangers can send without end as one event per kind and source for every ten seconds, with their number.
 * What it keeps is bounded, however many sources there are.
 */
export function createAuditWindow(deps: AuditWindowDeps, send: (event: AuditEvent) => void) {
  let kinds = new Map<string, Kind>();

  function kindOf({ name, line }: AuditEvent, { limit = '', error }: Readonly<Record<string, unknown>>): Kind {
    // An error of a rare kind is not told together with those that come with every request.
    const key = `${name} ${String(limit)} ${error instanceof Error ? error.name : ''}`;
    let kind = kinds.get(key);
    if (kind === undefined) {
      if (kinds.size === 0) void deps.sleep(WINDOW_MS).then(flush);
      kind = { name, line, rows: new Map(), rest: { singly: Number.POSITIVE_INFINITY } };
      kinds.set(key, kind);
    }
    return kind;
  }

  function rowOf(kind: Kind, { sources }: AuditClass, { source, grant }: Readonly<Record<string, unknown>>): Row {
    const key = typeof source === 'string' ? deps.sourceOf(source) : typeof grant === 'string' ? grant : '';
    let row = kind.rows.get(key);
    if (row === undefined) {
      if (kind.rows.size >= sources) return kind.rest;
      row = { singly: 0 };
      kind.rows.set(key, row);
    }
    return row;
  }

  function flush(): void {
    const told = kinds;
    kinds = new Map();
    for (const { name, line, rows, rest } of told.values()) {
      for (const { together } of [...rows.values(), rest]) {
        if (together === undefined) continue;
        const { fields, atMs, untilMs, count } = together;
        send({ name, line, fields, atMs, together: { count, untilMs } });
      }
    }
  }

  return {
    take(name: LogEventName, auditClass: AuditClass, fields: Readonly<Record<string, unknown>>): void {
      const { line, singly } = auditClass;
      const single = { name, line, fields, atMs: deps.clock() };
      const row = singly === Number.POSITIVE_INFINITY ? undefined : rowOf(kindOf(single, fields), auditClass, fields);
      if (row === undefined || row.singly < singly) {
        if (row !== undefined) row.singly += 1;
        send(single);
      } else if (row.together === undefined) {
        row.together = { fields: { ...fields }, atMs: single.atMs, untilMs: single.atMs, count: 1 };
      } else {
        row.together.count += 1;
        row.together.untilMs = single.atMs;
        keepCommon(row.together.fields, fields);
      }
    },
    /** Tells at once what the window has so far. */
    flush,
  };
}

function keepCommon(kept: Record<string, unknown>, next: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(kept)) {
    // Errors have nothing that JSON would show.
    const isPlain = !(value instanceof Error);
    const isSame = value === next[field] || (isPlain && JSON.stringify(value) === JSON.stringify(next[field]));
    if (!isSame) delete kept[field];
  }
}
