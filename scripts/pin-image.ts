/**
 * Pins the base of the image, as a step of a release: `npm run image:pin` asks the container registry (by `skopeo`) for the
 * digest of the tag in the Dockerfile, looks whether that image has the version of Node that was tested, and writes the
 * digest beside the tag. `--check` asks nobody, and ends with 1 while there is none.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DOCKERFILE = join(process.env['PIN_IMAGE_ROOT'] ?? ROOT, 'Dockerfile');
const BASE = /^FROM (?<tag>\S+?:(?<version>\d+\.\d+\.\d+)-slim)(?:@(?<digest>sha256:[0-9a-f]{64}))? AS base$/m;

process.exitCode = main(process.argv.slice(2));

function main(words: readonly string[]): number {
  const text = readFileSync(DOCKERFILE, 'utf8');
  const { tag, version, digest } = BASE.exec(text)?.groups ?? {};
  if (tag === undefined || version === undefined) {
    return refuse('the Dockerfile has no line "FROM node:MAJOR.MINOR.PATCH-slim AS base"');
  }
  if (words.includes('--check')) {
    return digest === undefined ? refuse(`${tag} has no digest: npm run image:pin`) : say(`${tag}@${digest}`);
  }
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

function say(words: string): number {
  process.stdout.write(`${words}\n`);
  return 0;
}

function refuse(words: string): number {
  process.stderr.write(`${words}\n`);
  return 1;
}
