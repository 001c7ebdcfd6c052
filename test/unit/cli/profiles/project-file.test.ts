import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findProjectFile, PROJECT_FILE } from '../../../../src/cli/profiles/project-file.ts';

it.each<[string, (path: string) => unknown, string]>([
  ['a pipe', (path) => execFileSync('mkfifo', [path]), 'is no file'],
  ['a folder', (path) => mkdirSync(path), 'is no file'],
  ['a link to a device', (path) => symlinkSync('/dev/zero', path), 'is a symbolic link'],
  ['a link to itself', (path) => symlinkSync(path, path), 'is a symbolic link'],
  ['large', (path) => writeFileSync(path, '#'.repeat(65_537)), 'is too large'],
])('a project file that is %s is told at once', async (_, make, words) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-project-'));
  make(join(folder, PROJECT_FILE));
  await expect(findProjectFile(folder)).rejects.toThrow(words);
});
