import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installFromDebian, onPath } from '../../test/support/programs.ts';
import { NotObtainedError, obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';

/** What the crates in the lock file want. */
const OLDEST_CARGO = 88;
/** Debian has newer ones for what browsers need; where there is none, its usual one is new enough. */
const CARGO_PACKAGES = ['cargo-web', 'cargo'];

/** Builds the Rust programs of ours, whose crates come from crates.io by their lock file. */
export async function rustPrograms(): Promise<{ file(name: string): string; crate(name: string): string }> {
  const source = new URL('../programs/rust/', import.meta.url).pathname;
  const names = ['Cargo.toml', 'Cargo.lock', 'src/lib.rs', 'src/bin/oauth2.rs', 'src/bin/openidconnect.rs'];
  const texts = await Promise.all(names.map((name) => readFile(join(source, name), 'utf8')));
  const folder = await once(cacheFolder('rust', shortHash(texts.join(''))), async (empty) => {
    await cp(source, empty, { recursive: true });
    await obtainBy([await cargo(), 'build', '--locked', '--quiet'], { cwd: empty });
  });
  return {
    file: (name) => join(folder, 'target', 'debug', name),
    crate: (name) => new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(texts[1] ?? '')?.[1] ?? '',
  };
}

/** On PATH, else from Debian. */
async function cargo(): Promise<string> {
  for (const name of [undefined, ...CARGO_PACKAGES]) {
    if (name !== undefined) await installFromDebian(name);
    const found = onPath('cargo');
    const version = found === undefined ? '' : await obtainBy([found, '--version']);
    if (found !== undefined && Number(/cargo 1\.(\d+)/.exec(version)?.[1]) >= OLDEST_CARGO) return found;
  }
  const wanted = `no cargo of 1.${OLDEST_CARGO} or later is on PATH`;
  throw new NotObtainedError(`${wanted}; on Debian: apt-get install ${CARGO_PACKAGES.join(', or ')}`);
}
