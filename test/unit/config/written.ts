import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../../../src/config/config.ts';
import { ConfigError, type Problem } from '../../../src/config/config-error.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { readConfig } from '../../../src/config/load-config.ts';

/** Lines to add to the least file, each at its indentation; what it must have can be replaced. */
export interface Lines {
  url?: string;
  upstreamId?: string;
  issuer?: string;
  clientId?: string;
  top?: string;
  upstream?: string;
  client?: string;
}

/** What a client's secret may be. */
export const STRONG = 'kq3vY0m1PzW8sD5xH2nR7t';

/** Where the marker stands is where the problem must be reported. */
export const MARK = '▸';

export function leastFile(lines: Lines = {}): string {
  const { url = 'http://127.0.0.1:8080', issuer = 'https://sso.example.com', clientId = 'cli' } = lines;
  const { top = '', upstreamId = 'corp', upstream = '', client = '' } = lines;
  return [
    `public_url: ${url}`,
    'upstreams:',
    `  ${upstreamId}:`,
    `    issuer: ${issuer}`,
    '    client_id: gatehouse',
    indent(upstream, 4),
    'clients:',
    `  ${clientId}:`,
    '    name: Build CLI',
    indent(client, 4),
    top,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function indent(lines: string, spaces: number): string {
  return lines.replace(/^(?=.)/gm, ' '.repeat(spaces));
}

export function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  }
  return folder;
}

export interface Around {
  environment?: Environment;
  files?: Readonly<Record<string, string | Uint8Array>>;
}

export function read(text: string, { environment = {}, files }: Around = {}): Config {
  const folder = files === undefined ? '' : folderWith(files);
  return readConfig(join(folder, 'gatehouse.yaml'), text, environment);
}

export function problemsOf(text: string, around: Around = {}): readonly Problem[] {
  try {
    read(text, around);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** Takes the marker out and says where it stood. */
export function unmarked(marked: string): { text: string; line: number; column: number } {
  const before = marked.slice(0, marked.indexOf(MARK)).split('\n');
  return { text: marked.replace(MARK, ''), line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
