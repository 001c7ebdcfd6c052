import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';

/** Builds the Rust programs of ours, whose crates come from crates.io by their lock file. */
export async function rustPrograms(): Promise<{ file(name: string): string; crate(name: string): string }> {
  const source = new URL('../programs/rust/', import.meta.url).pathname;
  const names = ['Cargo.toml', 'Cargo.lock', 'src/lib.rs', 'src/bin/oauth2.rs', 'src/bin/openidconnect.rs'];
  const texts = await Promise.all(names.map((name) => readFile(join(source, name), 'utf8')));
  const folder = await once(cacheFolder('rust', shortHash(texts.join(''))), async (empty) => {
    await cp(source, empty, { recursive: true });
    await obtainBy(['cargo', 'build', '--locked', '--quiet'], { cwd: empty });
  });
  return {
    file: (name) => join(folder, 'target', 'debug', name),
    crate: (name) => new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(texts[1] ?? '')?.[1] ?? '',
  };
}
