/**
 * What `npm pack` does around itself. Before: the man page and the schema are written into dist, what nothing there leads to
 * is taken out, and links of the packed pages to what is not packed become addresses of the repository. After: the
 * pages are as they were. A page that is kept in .cache/pack is from a pack that was cut off, and is put back first.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const at = (path) => join(root, path);
const kept = at('.cache/pack');
const PAGES = ['README.md', 'CHANGELOG.md'];
const { version, homepage, exports, bin, files } = JSON.parse(readFileSync(at('package.json'), 'utf8'));

function putBack() {
  for (const page of PAGES) {
    if (!existsSync(join(kept, page))) continue;
    const isOurs = withAddresses(readFileSync(join(kept, page), 'utf8')) === readFileSync(at(page), 'utf8');
    if (!isOurs) {
      throw new Error(`${page} was changed since a pack was cut off; as it was before, it is in .cache/pack`);
    }
    renameSync(join(kept, page), at(page));
  }
}

/** Where the repository shows a file of this release. */
function inRepository(path, isPicture) {
  const [file] = path.split('#');
  if (!existsSync(at(file))) throw new Error(`${path} is linked to and is not there`);
  const kind = isPicture ? 'raw' : statSync(at(file)).isDirectory() ? 'tree' : 'blob';
  return `${homepage.replace(/#.*$/, '')}/${kind}/v${version}/${path}`;
}

function isPacked(path) {
  const [file] = path.split('#');
  return (
    file === '' ||
    file === 'LICENSE' ||
    PAGES.includes(file) ||
    files.some((one) => file === one || file.startsWith(`${one}/`))
  );
}

function writePages() {
  mkdirSync(kept, { recursive: true });
  for (const page of PAGES) {
    const text = readFileSync(at(page), 'utf8');
    writeFileSync(join(kept, page), text);
    writeFileSync(at(page), withAddresses(text));
  }
}

function withAddresses(text) {
  return text.replaceAll(/(!?)(\[(?:[^\][]|\[[^\]]*\])*\])\(([^)\s]+)\)/g, (all, mark, words, target) => {
    if (/^[a-z]+:/i.test(target) || isPacked(target)) return all;
    return `${mark}${words}(${inRepository(target, mark === '!')})`;
  });
}

async function writeDist() {
  const load = (path) => import(new URL(`../dist/cli/${path}`, import.meta.url));
  const { manPage } = await load('tables/man-page.js');
  const { commandTables } = await load('run-command.js');
  const { schemaText } = await load('schema.js');
  writeFileSync(at('dist/gatehouse.1'), manPage(await commandTables(), version));
  writeFileSync(at('dist/gatehouse.schema.json'), schemaText());
}

/** Programs that no field of package.json names: of unit files and images, and the process beside that reads a large configuration. */
const PROGRAMS = [
  'dist/main.js',
  'dist/cli/healthcheck.js',
  'dist/cli/start/config-reader.js',
  'dist/cli/start/workers/worker.js',
];

/** Modules of types alone are empty once they are built, and types are seen where an export leads to them. */
function dropUnreached() {
  const seen = new Set();
  const follow = (file) => {
    if (seen.has(file) || !existsSync(file)) return;
    seen.add(file);
    for (const [, from] of readFileSync(file, 'utf8').matchAll(/(?:from |import |import\()\s*['"](\.[^'"]+)['"]/g)) {
      const target = join(dirname(file), from);
      follow(file.endsWith('.d.ts') ? target.replace(/\.[jt]s$/, '.d.ts') : target);
    }
  };
  const named = Object.values(exports).flatMap((each) => (typeof each === 'string' ? [] : Object.values(each)));
  for (const entry of [...named, ...Object.values(bin), ...PROGRAMS]) follow(at(entry));
  for (const name of readdirSync(at('dist'), { recursive: true })) {
    const file = at(join('dist', name));
    if (/\.(js|d\.ts)$/.test(name) && !seen.has(file)) rmSync(file);
  }
}

const [when] = process.argv.slice(2);
putBack();
if (when === 'before') {
  await writeDist();
  dropUnreached();
  writePages();
} else if (when !== 'after') {
  process.stderr.write(`Usage: node ${relative(process.cwd(), import.meta.filename)} before|after\n`);
  process.exitCode = 64;
}
