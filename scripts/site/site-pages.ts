/**
 * Which pages the docs site has, and what their links become there. A page is written for the repository: its links lead to files.
 * On the site they lead to pages, to pictures that are copied, and, for everything else, to the repository.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** Pages outside of docs/, by where the site has them. */
const BESIDE: Readonly<Record<string, string>> = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'CODE_OF_CONDUCT.md': 'code-of-conduct.md',
  'SECURITY.md': 'reporting.md',
  'test/conformance/README.md': 'conformance.md',
};

/** Of the characters that no text has. */
const MARK = '\uE000';

export interface SitePage {
  /** From the root of the repository. */
  source: string;
  /** From the root of the site. */
  path: string;
}

export function sitePages(): SitePage[] {
  const docs = filesIn('docs').filter((file) => file.endsWith('.md'));
  return [
    ...Object.entries(BESIDE).map(([source, path]) => ({ source, path })),
    ...docs.map((source) => ({ source, path: pathOf(source) })),
  ];
}

/** A browser would save these and not show them, and vitepress takes a link to one for a page: the repository shows them. */
const PROGRAM = /\.(sh|ps1|py|go)$/;

/** What pages show or link to besides pages: copied as it is, to the same place below the site's root. */
export function siteAssets(): SitePage[] {
  const files = filesIn('docs').filter((file) => !file.endsWith('.md') && !PROGRAM.test(file));
  return files.map((source) => ({ source, path: posix.relative('docs', source) }));
}

function pathOf(source: string): string {
  if (source === 'docs/README.md') return 'guide.md';
  return posix.relative('docs', source).replace(/(^|\/)README\.md$/, '$1index.md');
}

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file.replaceAll('\\', '/')))
    .filter((file) => statSync(join(ROOT, file)).isFile());
}

/** The text of a page as the site has it. */
export function sitePage({ source, path }: SitePage, pages: readonly SitePage[], repository: string): string {
  const text = readFileSync(join(ROOT, source), 'utf8').replaceAll(/^<!--.*-->\n/gm, '');
  return outsideOfCode(text, (prose) =>
    prose.replaceAll(
      /\]\(([^)\s]+)\)/g,
      (_link, target: string) => `](${siteLink(target, { source, path }, pages, repository)})`,
    ),
  );
}

export function siteLink(target: string, from: SitePage, pages: readonly SitePage[], repository: string): string {
  if (/^(\w+:|#)/.test(target)) return target;
  const [file = '', anchor] = target.split('#');
  const source = posix.normalize(posix.join(posix.dirname(from.source), file)).replace(/\/$/, '');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  const folderPage =
    existsSync(join(ROOT, source)) && statSync(join(ROOT, source)).isDirectory() ? `${source}/README.md` : '';
  const page = pages.find((each) => each.source === source || each.source === folderPage);
  const asset = source.startsWith('docs/') ? siteAssets().find((each) => each.source === source) : undefined;
  const to = page?.path ?? asset?.path;
  if (to !== undefined) return `${relativeTo(to, from.path)}${hash}`;
  const kind = folderPage === '' ? 'blob' : 'tree';
  return `${repository}/${kind}/main/${source}${hash}`;
}

function relativeTo(to: string, from: string): string {
  const path = relative(dirname(from), to).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

/** Changes what is neither in a fence nor between back-ticks. */
function outsideOfCode(text: string, change: (prose: string) => string): string {
  const parts = text.split(/(^ *```[\s\S]*?^ *```$|`[^`\n]*`)/gm);
  // Back-ticks stand in the words of links too: what is between two of them is no prose, the rest is joined again.
  const codes: string[] = [];
  const prose = parts.map((part, index) => (index % 2 === 0 ? part : `${MARK}${codes.push(part) - 1}${MARK}`)).join('');
  return change(prose).replaceAll(
    new RegExp(`${MARK}(\\d+)${MARK}`, 'g'),
    (_mark, index: string) => codes[Number(index)] ?? '',
  );
}
