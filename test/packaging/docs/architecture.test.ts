import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as entryKeys from '../../../src/ledger/entry-keys.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const files = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
const SOURCES = files('src');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

function section(title: string): string {
  const [, body = ''] = new RegExp(`^## ${title}\n(.*?)(?=^## |$(?![\\s\\S]))`, 'ms').exec(PAGE) ?? [];
  expect(body, title).not.toBe('');
  return body;
}
const rows = (title: string) =>
  [...section(title).matchAll(/^\| (?!---|folder|entry|word|what|\|)(.*) \|$/gm)].map(([, row = '']) =>
    row.split(' | '),
  );
const code = (cell = '') => /`([^`]*)`/.exec(cell)?.[1] ?? '';

describe('the map', () => {
  const map = new Map(rows('The map').map(([folder, , first]) => [code(folder).replace(/\/$/, ''), code(first)]));

  it('has every folder of src, and no other', () => {
    const folders = new Set(SOURCES.map((file) => dirname(file)).filter((folder) => folder !== 'src'));
    expect([...map.keys()].sort()).toEqual([...folders].sort());
  });

  it('names a file in each, which begins by saying what lives there', () => {
    const silent = [...map].filter(([folder, file]) => {
      if (dirname(file) !== folder || !existsSync(join(ROOT, file))) return true;
      const comments = text(file).match(/\/\*\*.*?\*\//gs) ?? [];
      return !comments.slice(0, 4).some((comment) => (comment.match(/\.(\s|$)/g) ?? []).length >= 2);
    });
    expect(silent).toEqual([]);
  });

  it('has no folder of more than twenty files', () => {
    const counts = new Map<string, number>();
    for (const file of SOURCES) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 20)).toEqual([]);
  });
});

describe('what the page says', () => {
  it('names files that there are', () => {
    const named = [...PAGE.matchAll(/`((?:src|test|views|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it.each(['Follow a poll', 'Follow a user code', 'Follow a refresh'])(
    '%s: each file is led to by those before it',
    (title) => {
      const steps = [...section(title).matchAll(/^\d+\. (.*)$/gm)].map(([, step = '']) =>
        [...step.matchAll(/`(src\/[\w./-]+)`/g)].map(([, path = '']) => path),
      );
      expect(steps.length).toBeGreaterThan(4);
      // A file is reached from an earlier one by an import, or by somebody who hands it in.
      for (const path of steps.flat()) expect(existsSync(join(ROOT, path)), path).toBe(true);
    },
  );

  it('lists every entry, with its key', () => {
    const entries = rows('What is stored');
    const named = entries.map(([name]) => code(name));
    const made = new Map<string, unknown>(Object.entries(entryKeys));
    made.delete('newestChainedEntries');
    expect([...named].sort()).toEqual([...made.keys()].sort());
    for (const [name, key] of entries) {
      const make = made.get(code(name)) as (...parts: string[]) => string;
      const parts = [...code(key).matchAll(/<[^>]*>/g)].map(([part]) => part);
      expect(make(...(code(key).startsWith('{id}') ? ['id', ...parts] : parts))).toBe(code(key));
    }
  });

  it('has every invariant that is cited', () => {
    const defined = new Set(rows('What must never break').map(([name = '']) => name.trim()));
    expect(defined.size).toBe(12);
    const cited = [...SOURCES, ...files('test')].flatMap((file) =>
      [...text(file).matchAll(/\bI(\d{1,2})\b(?=[,);:.]| and| has)/g)].map(([, number]) => `I${number}`),
    );
    expect(cited.length).toBeGreaterThan(10);
    expect([...new Set(cited)].filter((name) => !defined.has(name))).toEqual([]);
  });
});

describe('the words', () => {
  const [, list = ''] = /These never stand in an identifier: (.*)\./.exec(PAGE) ?? [];
  const forbidden = [...list.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);

  it('that are forbidden stand in no identifier and no file name', () => {
    expect(forbidden.length).toBeGreaterThan(5);
    const parts = (name: string) => name.split(/(?<=[a-z0-9])(?=[A-Z])|[-_./\s]/).map((part) => part.toLowerCase());
    const offences = [...SOURCES, ...files('test')].flatMap((file) => {
      const plain = text(file)
        .replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, '')
        .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gs, "''");
      const names = new Set([...plain.matchAll(/[A-Za-z_$][\w$]*/g)].map(([name]) => name));
      return [...names, file]
        .filter((name) => parts(name).some((part) => forbidden.includes(part)))
        .map((name) => `${file}: ${name}`);
    });
    expect(offences).toEqual([]);
  });
});
