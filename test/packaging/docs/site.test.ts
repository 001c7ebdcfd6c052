import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { problemsOf } from '../../../scripts/site/check-site.ts';
import { decisionsIndex, sidebar } from '../../../scripts/site/sidebar.ts';
import { siteLink, sitePage, sitePages } from '../../../scripts/site/site-pages.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const HOME = 'https://forge.example/gatehouse';
const pages = sitePages();

describe('the docs site', () => {
  it('is made by exact versions from any registry, without scripts of theirs, beside the product', () => {
    const { scripts, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    const installs = scripts?.['site']?.match(/npm ci --prefix \S+ --prefer-offline --ignore-scripts/g);
    expect(installs).toHaveLength(2);
    expect(devDependencies).not.toHaveProperty('vitepress');
    for (const folder of ['scripts/site', 'scripts/api-docs']) {
      const manifest = JSON.parse(read(`${folder}/package.json`)) as { devDependencies: Record<string, string> };
      for (const version of Object.values(manifest.devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(read(`${folder}/package-lock.json`)).not.toContain('"resolved"');
    }
    expect(read('.ci/run')).toMatch(/^step 'docs site' \d+ npm run --silent site /m);
  });

  it('has every page of docs/ once, with the index of each folder where a folder’s link leads', () => {
    const paths = pages.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toEqual(expect.arrayContaining(['index.md', 'guide.md', 'upstreams/index.md', 'security/index.md']));
  });

  const FROM = { source: 'docs/operations/install.md', path: 'operations/install.md' };
  it.each([
    ['keys.md', './keys.md'],
    ['../upstreams/README.md#keycloak', '../upstreams/index.md#keycloak'],
    ['../../README.md#quick-start', '../index.md#quick-start'],
    ['../README.md', '../guide.md'],
    ['../security', '../security/index.md'],
    ['grafana.json', './grafana.json'],
    ['../../deploy/nginx/gatehouse.conf', `${HOME}/blob/main/deploy/nginx/gatehouse.conf`],
    ['../../deploy/nginx', `${HOME}/tree/main/deploy/nginx`],
    ['../../bench/results.md', `${HOME}/blob/main/bench/results.md`],
    ['../snippets/device.py', `${HOME}/blob/main/docs/snippets/device.py`],
    ['#node', '#node'],
    ['https://www.rfc-editor.org/rfc/rfc8628', 'https://www.rfc-editor.org/rfc/rfc8628'],
    ['mailto:security@example.com', 'mailto:security@example.com'],
  ])('a link to %s becomes %s', (target, there) => {
    expect(siteLink(target, FROM, pages, HOME)).toBe(there);
  });

  it('leaves code as it is, also where it looks like a link', () => {
    const text = sitePage({ source: 'docs/operations/keys.md', path: 'operations/keys.md' }, pages, HOME);
    const fences = (page: string) => page.match(/^```[\s\S]*?^```$/gm);
    expect(fences(text)).toEqual(fences(read('docs/operations/keys.md')));
    expect(text).not.toContain('\uE000');
  });

  it('has the groups of docs/README.md at its side, and an index of the decisions', () => {
    const groups = sidebar(pages, HOME);
    expect(groups.map(({ text }) => text)).toEqual(
      [...read('docs/README.md').matchAll(/^## (.*)$/gm)].map(([, title]) => title),
    );
    expect(groups.flatMap(({ items }) => items).length).toBeGreaterThan(30);
    expect(decisionsIndex(pages).match(/^- \[.+\]\(\.\/0/gm)?.length).toBeGreaterThan(30);
  });
});

describe('the check of the built site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-site-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    mkdirSync(join(folder, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'other.html'), '<h2 id="there">There</h2>');
    writeFileSync(join(folder, 'sub/index.html'), '<a href="../other.html#there">x</a>');
  });
  const found = (html: string) => {
    writeFileSync(join(folder, 'index.html'), html);
    return problemsOf(folder);
  };

  it.each([
    '<a href="/other.html#there">x</a>',
    '<a href="./other">x</a>',
    '<a href="/sub/">x</a>',
    '<a href="https://example.com/">x</a>',
    '<a class="x" href="/other.html#">x</a>',
  ])('lets %s be', (html) => expect(found(html)).toEqual([]));

  it.each([
    ['<a href="/nowhere.html">x</a>', 'index.html: /nowhere.html leads nowhere'],
    ['<a class="x" href="./sub">x</a><img alt="" src="gone.png">', 'index.html: gone.png leads nowhere'],
    ['<a href="/other.html#gone">x</a>', 'index.html: /other.html#gone: no such heading'],
    ['<script src="https://cdn.example/x.js"></script>', 'index.html: loads https://cdn.example/x.js'],
    ['<link rel="stylesheet" href="//fonts.example/x.css">', 'index.html: loads //fonts.example/x.css'],
  ])('finds what is wrong in %s', (html, problem) => expect(found(html)).toEqual([problem]));
});
