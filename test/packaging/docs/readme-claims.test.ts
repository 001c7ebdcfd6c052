import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { terminalPicture } from '../../../scripts/terminal-picture.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const README = read('README.md');
const section = (heading: string) => README.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
const rowsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('| '));

describe('the picture of the terminal', () => {
  const svg = read('docs/screens/terminal.svg');

  it('is what `gatehouse login` shows today', () => {
    const [, code = ''] = /the code ([A-Z]{4}-[A-Z]{4})</.exec(svg) ?? [];
    expect(svg).toBe(terminalPicture(code));
  });

  it('shows what was not written for it as text, not as markup', () => {
    expect(terminalPicture('<&">')).toContain('&#60;&#38;&#34;&#62;');
    expect(terminalPicture('<&">')).not.toContain('<&');
  });
});

describe('the README', () => {
  it('is two screens, then links', () => expect(README.split('\n').length).toBeLessThan(130));

  it('shows the terminal and the page, side by side', () => {
    expect(README).toMatch(/^\| !\[[^\]]+\]\(docs\/screens\/terminal\.svg\) \| !\[[^\]]+\]\(docs\/screens\/confirm/m);
  });

  it('has five reasons, each with a figure, a command that there is, and a link', () => {
    const reasons = section('Why').split(/^- /m).slice(1);
    expect(reasons).toHaveLength(5);
    for (const reason of reasons) {
      expect(reason).toMatch(/\d/);
      expect(reason).toMatch(/\]\([^)]+\)/);
      expect(reason).toMatch(/`[^`]*(npm run|npx vitest run) [^`]+`/);
      const [, path = 'test'] = /npx vitest run (\S+)`/.exec(reason) ?? [];
      expect(existsSync(join(ROOT, path)) || path === 'test/journeys/canary', path).toBe(true);
    }
  });

  it('claims what the pages of figures say', () => {
    const why = section('Why').replaceAll('\n', ' ');
    const interop = read('docs/interop.md');
    const peers = (kind: string) =>
      rowsOf(interop.split(`<!-- ${kind} -->`)[1]?.split('<!-- /')[0] ?? '').slice(2).length;
    expect(why).toContain(`${peers('upstream')} providers and ${peers('client')} device clients`);

    const [, polls = ''] = /polls\/s against oidc-provider[^|]*\| ([\d.]+) ×/.exec(read('bench/results.md')) ?? [];
    expect(why).toContain('more than three times the polls that oidc-provider does');
    expect(Number(polls)).toBeGreaterThan(3);

    const figures = read('docs/security/figures.md');
    const row = (number: string) => rowsOf(figures).find((each) => each.startsWith(`| ${number} `)) ?? '';
    for (const words of ['1 000 polls at once', '100 codes']) {
      expect([row('F1'), why.includes(words)]).toEqual([expect.stringContaining(words), true]);
    }
    for (const words of ['1 000 000', 'npm run fuzz -- --requests 1000000 --seed 7']) {
      expect([row('F6'), why.includes(words)]).toEqual([expect.stringContaining(words), true]);
    }
    expect([row('F9'), why.includes('18 kinds of secrets')]).toEqual([
      expect.stringContaining('18 kinds of secrets'),
      true,
    ]);
    const campaign = rowsOf(read('docs/security/device-phishing.md')).find((each) =>
      each.includes('50 willing victims'),
    );
    expect(campaign).toMatch(/\| 0 \|$/);
  });

  it('compares by what was read: each cell about another program leads there, to a commit where it is source', () => {
    const [head = '', , ours = '', ...others] = rowsOf(section('What else there is'));
    const columns = head.split(' | ').length;
    expect(ours).toContain('**Gatehouse**');
    expect(others.map((row) => /^\| \[?([\w’ -]+)/.exec(row)?.[1])).toHaveLength(6);
    for (const row of others) {
      const [peer = '', ...cells] = row.slice(2, -2).split(' | ');
      expect(cells).toHaveLength(columns - 1);
      // One source may be the whole program; a page that is yours has none.
      if (peer.startsWith('[')) continue;
      expect(cells.filter((cell) => !cell.includes('](') && !cell.includes('your page'))).toEqual([]);
    }
    const sources = [...others.join('\n').matchAll(/github\.com\/[\w.-]+\/[\w.-]+\/blob\/([^/]+)\//g)];
    expect(sources.length).toBeGreaterThan(10);
    for (const [, commit] of sources) expect(commit).toMatch(/^[0-9a-f]{40}$/);
  });

  it('shows commands with options that they have', () => {
    const commands = read('docs/commands.md');
    const lines = [...README.matchAll(/^ *gatehouse (\w+)(.*)$/gm)];
    expect(lines.map(([, name]) => name)).toEqual(expect.arrayContaining(['init', 'check', 'login']));
    for (const [, name = '', rest = ''] of lines) {
      const [, described = ''] = commands.split(`\n## ${name}\n`);
      const options = [...(rest.split(' && ')[0] ?? '').matchAll(/ (--[\w-]+)/g)].map(([, option]) => option ?? '');
      expect(options.filter((option) => !described.split('\n## ')[0]?.includes(option))).toEqual([]);
    }
  });

  it('says when to take something else', () => {
    expect(section('What else there is')).toMatch(/### When not to use it\n\n(- \*\*.*\n(?: {2}.*\n)?){3,}/);
  });
});
