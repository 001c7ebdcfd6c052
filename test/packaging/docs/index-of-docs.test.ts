import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/run-command.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const index = readFileSync(join(DOCS, 'README.md'), 'utf8');
const linksOf = (text: string) => [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path);
const links = linksOf(index);
/** Folders with an index of their own, which the one above leads to. */
const furtherLinks = links
  .filter((path) => /^[\w-]+\/README\.md$/.test(path))
  .flatMap((path) => linksOf(readFileSync(join(DOCS, path), 'utf8')).map((link) => join(dirname(path), link)));
const pages = readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.(md|json)$/.test(file) && file !== 'README.md');

describe('docs/README.md', () => {
  it('leads to every page, the decisions as a whole', () => {
    expect(pages.length).toBeGreaterThan(40);
    expect(links).toContain('decisions');
    const led = new Set([...links, ...furtherLinks]);
    expect(pages.filter((page) => !page.startsWith('decisions/') && !led.has(page))).toEqual([]);
  });

  it('leads nowhere else', () => expect(links.filter((path) => !existsSync(join(DOCS, path)))).toEqual([]));

  it('has something for everybody who comes by', () => {
    const headings = [...index.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toHaveLength(7);
    for (const section of index.split('\n## ').slice(1)) expect(section).toMatch(/\]\(/);
  });
});

describe('docs/screens', () => {
  const shown = linksOf(readFileSync(join(DOCS, 'screens/README.md'), 'utf8'));

  it('shows every picture that is there, and no other', () => {
    const pictures = readdirSync(join(DOCS, 'screens')).filter((file) => file.endsWith('.png'));
    expect([...shown].sort()).toEqual(pictures.sort());
  });

  it('shows what operators see as well', () => {
    expect(shown.filter((file) => file.startsWith('status'))).toHaveLength(4);
  });
});

describe('the table of what comes with it', () => {
  const [, section = ''] = /^## What comes with it\n(.*?)^## /ms.exec(index) ?? [];
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.slice(2, -2).split(' | '));

  it('has a row for each thing that tools of this kind have', () => {
    const peers =
      'image, compose, chart, package, version, completion, schema, init, doctor, admin API, alerts, dashboard, SBOM';
    expect(rows.map(([what]) => what)).toEqual([...peers.split(', '), 'changelog', 'site']);
  });

  it.each(rows)('%s is there, with a test that speaks of it', (what = '', where = '', proof = '') => {
    expect(linksOf(where).length, where).toBeGreaterThan(0);
    const [, test = ''] = /^`([^`]+)`$/.exec(proof) ?? [];
    const text = readFileSync(join(DOCS, '..', test), 'utf8');
    const word =
      { 'admin API': 'admin', SBOM: 'bom', doctor: 'check', dashboard: 'grafana', package: 'pack' }[what] ?? what;
    expect(text.toLowerCase(), what).toContain(word);
    const scripts = [...where.matchAll(/`npm run (\w+)`/g)].map(([, name = '']) => name);
    const packageFile = JSON.parse(readFileSync(join(DOCS, '../package.json'), 'utf8')) as { scripts: object };
    for (const name of scripts) expect(Object.keys(packageFile.scripts)).toContain(name);
    const commands = [...where.matchAll(/`gatehouse (\w+)/g)].map(([, name = '']) => name);
    for (const name of commands) expect(Object.keys(COMMANDS)).toContain(name);
  });
});

describe('docs/decisions', () => {
  const decisions = readdirSync(join(DOCS, 'decisions')).sort();

  it.each(decisions)('%s says what was decided', (file) => {
    expect(file).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    expect(readFileSync(join(DOCS, 'decisions', file), 'utf8')).toMatch(/^# \S/);
  });

  it('cited anywhere are there', () => {
    const known = new Set(decisions.map((file) => file.slice(0, 4)));
    const root = join(DOCS, '..');
    const cited = ['src', 'test', 'docs', 'README.md', '.github/dependabot.yml'].flatMap((place) => {
      const path = join(root, place);
      const files = /\.\w+$/.test(place)
        ? [path]
        : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => join(path, file));
      return files
        .filter((file) => /\.(ts|md|ya?ml)$/.test(file))
        .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/[Dd]ecision \[?(\d{4})\b/g)])
        .map(([, number = '']) => number);
    });
    expect(cited.length).toBeGreaterThan(10);
    expect(cited.filter((number) => !known.has(number))).toEqual([]);
  });
});
