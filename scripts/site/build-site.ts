/**
 * `npm run site`: docs/ and the README as a site with search and the API reference, in `.cache/site/dist`. Nothing in it is loaded
 * from elsewhere, and every link in it is followed once.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { problemsOf } from './check-site.ts';
import { decisionsIndex, sidebar } from './sidebar.ts';
import { siteAssets, sitePage, sitePages } from './site-pages.ts';

const ROOT = join(import.meta.dirname, '../..');
const SITE = join(ROOT, '.cache/site');
const SOURCE = join(SITE, 'src');

const { repository, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  repository: { url: string };
  version: string;
};
const home = repository.url.replace(/^git\+|\.git$/g, '');

function stage(): void {
  rmSync(SITE, { recursive: true, force: true });
  const pages = sitePages();
  for (const page of pages) write(join(SOURCE, page.path), sitePage(page, pages, home));
  write(join(SOURCE, 'decisions/index.md'), decisionsIndex(pages));
  for (const { source, path } of siteAssets()) {
    const text = join(SOURCE, 'public', path);
    mkdirSync(dirname(text), { recursive: true });
    cpSync(join(ROOT, source), text);
    // Pictures on a page are bundled from beside it; those that a page links to are found below the root.
    if (/\.(png|svg)$/.test(path)) cpSync(join(ROOT, source), inFolder(join(SOURCE, path)));
  }
  const facts = { sidebar: sidebar(pages, home), home, version };
  write(join(SITE, '.vitepress/facts.json'), JSON.stringify(facts, null, 2));
  cpSync(join(import.meta.dirname, 'vitepress.config.mjs'), join(SITE, '.vitepress/config.mjs'));
}

/** Pages of the package's exports, in the same site and the same search. */
function writeApiPages(): void {
  const typedoc = join(ROOT, 'scripts/api-docs/node_modules/typedoc/bin/typedoc');
  const options = ['--options', join(ROOT, 'scripts/api-docs/typedoc.json')];
  const markdown = ['--plugin', 'typedoc-plugin-markdown', '--entryFileName', 'index.md', '--hidePageHeader', 'true'];
  execFileSync(process.execPath, [typedoc, ...options, ...markdown, '--out', join(SOURCE, 'api')], {
    cwd: join(ROOT, 'scripts/api-docs'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function buildPages(): void {
  const vitepress = join(import.meta.dirname, 'node_modules/vitepress/bin/vitepress.js');
  execFileSync(process.execPath, [vitepress, 'build', SITE], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function write(file: string, text: string): void {
  writeFileSync(inFolder(file), text);
}

function inFolder(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  return file;
}

stage();
writeApiPages();
buildPages();
const problems = problemsOf(join(SITE, 'dist'));
for (const problem of problems) console.error(problem);
console.log(`${problems.length} problems; the site is in .cache/site/dist`);
process.exitCode = problems.length === 0 ? 0 : 1;
