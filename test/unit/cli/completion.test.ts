import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionFor } from '../../../src/cli/completion/completion.ts';
import { commandTables } from '../../../src/cli/run-command.ts';
import { SHELLS } from '../../../src/cli/tables/completion-table.ts';
import { onPath } from '../../support/programs.ts';

const tables = await commandTables();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-completion-'));
  for (const shell of SHELLS) await writeFile(join(folder, shell), completionFor(shell, tables));
  await writeFile(join(folder, 'my config.yaml'), '');
});
afterAll(() => rm(folder, { recursive: true }));

/** What is on the line, the last word begun; and what its only completion is. */
const LINES: [typed: string[], completed: string][] = [
  [['ch'], 'check'],
  [['check', '--pr'], '--probe'],
  [['sessions', 'li'], 'list'],
  [['sessions', '--json', 'li'], 'list'],
  [['sessions', 'end', '--dr'], '--dry-run'],
  [['sessions', 'list', '--act'], '--active'],
  [['keys', 'generate', 'sig'], 'signing'],
  [['keys', 'rotate', '--ou'], '--out'],
  [['start', '--ready-line', 'js'], 'json'],
  [['help', 'ke'], 'keys'],
  [['completion', 'po'], 'powershell'],
  [['end', '--acc'], '--account'],
  [['login', '--no'], '--no-qr'],
];

/** And what has none: an option of another verb, and a value that nobody can know. */
const WITHOUT: string[][] = [
  ['sessions', 'list', '--dr'],
  ['keys', 'drop', '--ou'],
  ['check', '--ready'],
  ['nonsense', '--pr'],
];

const quoted = (word: string) => `'${word}'`;

function bash(words: readonly string[]): string[] {
  const script = `source ${quoted(join(folder, 'bash'))}
COMP_WORDS=(gatehouse ${words.map(quoted).join(' ')}); COMP_CWORD=${words.length}
_gatehouse 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

function fish(words: readonly string[]): string[] {
  const line = ['gatehouse', ...words].join(' ');
  const script = `source ${quoted(join(folder, 'fish'))}; complete -C ${quoted(line)}`;
  const { stdout } = spawnSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((each) => each.split('\t')[0] || []);
}

/** Types the words, Tab and Enter in an interactive zsh, in which gatehouse prints what it was given. */
function zsh(words: readonly string[]): string[] {
  const script = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1= PS2=; unsetopt prompt_cr prompt_sp; autoload -Uz compinit && compinit -D -u; source ${join(folder, 'zsh')}; gatehouse() { print "GOT:$@[-1]:" }'
zpty -w -n z ${quoted(`gatehouse ${words.join(' ')}`)}$'\\t\\n'
zpty -w z 'exit'
while zpty -r z line; do print -r -- "$line"; done`;
  const { stdout } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8', timeout: 15_000 });
  const [, got = ''] = /GOT:(?!\$)([^:\n]*):/.exec(stdout) ?? [];
  // What has no completion is left as it was typed.
  return got === words.at(-1) || got === '' ? [] : [got];
}

const shells = { bash, fish, zsh };
/** bash is everywhere; the others where they are. */
const here = (['bash', 'fish', 'zsh'] as const).filter((shell) => onPath(shell) !== undefined);

describe.each(here)('completion in %s', (shell) => {
  it.each(LINES)('gatehouse %j', (typed, completed) => expect(shells[shell](typed)).toEqual([completed]));

  it.each(WITHOUT)('gatehouse %s %s %s has none', (...typed) => expect(shells[shell](typed)).toEqual([]));
});

describe('completion', () => {
  it('in bash takes --option=value, and files with spaces by readline', () => {
    expect(bash(['start', '--ready-line', '=', 'js'])).toEqual(['json']);
    const script = `source ${quoted(join(folder, 'bash'))}; cd ${quoted(folder)}
COMP_WORDS=(gatehouse check --config my); COMP_CWORD=3; compopt() { echo "compopt $*"; }; _gatehouse; echo "\${#COMPREPLY[@]}"`;
    expect(spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).stdout).toBe('compopt -o default\n0\n');
  });

  it.each(SHELLS)('for %s names every command and every option', (shell) => {
    const script = completionFor(shell, tables);
    for (const [name, { options }] of tables) {
      expect(script).toContain(name);
      for (const option of Object.keys(options)) {
        expect(script).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`);
      }
    }
    expect(script).not.toMatch(/[^\n\x20-\x7e]/);
  });
});
