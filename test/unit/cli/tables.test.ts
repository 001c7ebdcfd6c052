import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/read-arguments.ts';
import { commandTables } from '../../../src/cli/run-command.ts';
import { allOptions, helpText } from '../../../src/cli/tables/help-text.ts';
import { manPage } from '../../../src/cli/tables/man-page.ts';
import { onPath } from '../../support/programs.ts';

const ROOT = join(import.meta.dirname, '../../..');
const tables = await commandTables();
const each = [...tables];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-man-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the table of a command', () => {
  it.each(each)('%s: its forms and words name no option and no verb that there is not', (_, table) => {
    const { usage, about, notes = [], verbs, options } = table;
    // What is laid out by hand may show another program's options.
    const prose = [...about, ...notes].filter((text) => !text.startsWith(' '));
    // gatehouse --version is the program's own; another command may be named with its option.
    const named = [...usage, ...prose].flatMap((text) => [...text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)]);
    const known = [...Object.keys(options), 'help', 'version'];
    expect(named.map(([, name = '']) => name).filter((name) => !known.includes(name))).toEqual([]);
    if (verbs !== undefined) {
      const used = usage.map((form) => form.split(' ')[0]);
      expect(new Set(used)).toEqual(new Set(Object.keys(verbs)));
    }
    for (const { of = [] } of Object.values(options)) {
      expect(of.filter((verb) => !Object.hasOwn(verbs ?? {}, verb))).toEqual([]);
    }
  });

  it.each(each)('%s: each option can be said', (_, table) => {
    const { verbs = {}, options } = table;
    for (const [name, { value, choices, of }] of Object.entries(options)) {
      const verb = of?.[0] ?? Object.keys(verbs)[0];
      const said = value === undefined ? [`--${name}`] : [`--${name}=${choices?.[0] ?? 'x'}`];
      const { values } = readArguments(table, [...(verb === undefined ? [] : [verb]), ...said]);
      expect(Object.keys(values)).toEqual([name]);
    }
  });

  it.each(each)('%s: help fits a window of 80 columns, but for what is laid out by hand', (name, table) => {
    const byHand = [...table.about, ...table.usage];
    const wide = helpText(name, table)
      .split('\n')
      .filter((line) => line.length > 80 && !byHand.some((text) => line.includes(text)));
    expect(wide).toEqual([]);
    for (const [option] of allOptions(table)) expect(helpText(name, table)).toContain(`--${option}`);
  });
});

describe('the man page', () => {
  const page = manPage(tables, '1.2.3');

  it('has every command and every option, under a dash that can be searched for', () => {
    for (const [name, table] of each) {
      expect(page).toContain(`.SS ${name}\n`);
      for (const option of Object.keys(table.options)) expect(page).toContain(`\\-\\-${option.replaceAll('-', '\\-')}`);
    }
    expect(page).not.toMatch(/[^\n\x20-\x7e]/);
  });

  // Which of them is here differs from machine to machine; the page above is judged in any case.
  const judges: [program: string, args: string[], forgiven: RegExp][] = [
    ['groff', ['-man', '-ww', '-Tutf8', '-z'], /^$/],
    // The date of a release is in the changelog.
    ['mandoc', ['-T', 'lint', '-W', 'warning'], /missing date/],
  ];
  it.each(judges.filter(([program]) => onPath(program) !== undefined))(
    'has no fault to %s',
    async (program, args, forgiven) => {
      const file = join(folder, 'gatehouse.1');
      await writeFile(file, page);
      const { stdout, stderr } = spawnSync(program, [...args, file], { encoding: 'utf8' });
      const said = `${stdout}\n${stderr}`.split('\n').filter((line) => line !== '' && !forgiven.test(line));
      expect(said).toEqual([]);
    },
  );

  it('is what package.json would have installed', () => {
    const { man, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    // npm passes over a text: it must be a list.
    expect(man).toEqual(['./dist/gatehouse.1']);
    expect(files).toContain('dist');
  });
});
