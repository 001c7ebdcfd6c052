import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, formatProblem } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { folderWith, leastFile } from './written.ts';

type Files = Record<string, string>;

async function load(files: Files, include = '[clients.d/*.yaml]') {
  const folder = folderWith({ 'gatehouse.yaml': leastFile({ top: `include: ${include}` }), ...files });
  const file = join(folder, 'gatehouse.yaml');
  const config = await loadConfig(file, { S: 'a secret that is long enough' }).catch((error: unknown) => {
    if (error instanceof ConfigError) return error;
    throw error;
  });
  return { folder, config };
}

async function good(files: Files, include?: string) {
  const { folder, config } = await load(files, include);
  if (config instanceof ConfigError) throw config;
  return { folder, config };
}

async function problems(files: Files, include?: string) {
  const { folder, config } = await load(files, include);
  if (!(config instanceof ConfigError)) return [];
  return config.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
}

describe('further files', () => {
  it('bring their entries, in the order of their names, and are watched', async () => {
    const { folder, config } = await good(
      {
        'clients.d/b.yaml': 'clients: { tv: { name: TV } }',
        'clients.d/a.yaml':
          'clients: { robot: { name: Robot, upstreams: [lab] } }\nnetworks: { oslo: { cidrs: [192.0.2.0/24] } }',
        'clients.d/c.yaml': '# nothing yet\n',
        'clients.d/.draft.yaml': 'clients: { draft: {} }',
        'clients.d/a.yaml~': 'clients: { old: {} }',
        'lab.yaml': 'upstreams: { lab: { issuer: https://lab.example.com, client_id: gatehouse } }',
      },
      '[clients.d/*.yaml, lab.yaml, clients.d/b.yaml]',
    );
    expect(config.clients.map(({ id }) => id)).toEqual(['cli', 'robot', 'tv']);
    expect(config.clients[1]?.upstreams).toEqual(['lab']);
    expect(config.upstreams.map(({ id }) => id)).toEqual(['corp', 'lab']);
    expect(config.networks.map(({ id }) => id)).toEqual(['oslo']);
    const at = (name: string) => join(folder, name);
    expect(config.filesRead).toEqual(
      ['gatehouse.yaml', 'clients.d/a.yaml', 'clients.d/b.yaml', 'clients.d/c.yaml', 'lab.yaml'].map(at),
    );
    expect(config.includes).toEqual([at('clients.d/*.yaml'), at('lab.yaml'), at('clients.d/b.yaml')]);
  });

  it('name secrets relative to themselves', async () => {
    const { folder, config } = await good({
      'clients.d/a.yaml': 'clients: { robot: { name: Robot, client_secret: { file: robot.secret } } }',
      'clients.d/robot.secret': 'a secret that is long enough',
    });
    expect(config.clients[1]?.clientSecret?.reveal()).toBe('a secret that is long enough');
    expect(config.filesRead).toContain(join(folder, 'clients.d/robot.secret'));
  });

  it('may be none, also in a folder that is not there', async () => {
    expect((await good({})).config.clients).toHaveLength(1);
    expect((await good({}, '[]')).config.clients).toHaveLength(1);
  });

  it('have question marks for one character', async () => {
    const files = { 'd/a1.yaml': 'clients: { a1: { name: A } }', 'd/a12.yaml': 'clients: { a12: { name: A } }' };
    expect((await good(files, '[d/a?.yaml]')).config.clients.map(({ id }) => id)).toEqual(['cli', 'a1']);
    const dotted = { 'd/a.yaml': 'clients: { a: { name: A } }', 'd/axyaml': 'clients: { x: { name: A } }' };
    expect((await good(dotted, '[d/*.yaml]')).config.clients.map(({ id }) => id)).toEqual(['cli', 'a']);
  });

  it('are not the main file again', async () => {
    expect((await good({}, '["*.yaml"]')).config.clients).toHaveLength(1);
  });
});

describe('a problem in a further file', () => {
  it('is named there, with line and column, after those of the main file', async () => {
    expect(
      await problems(
        {
          'clients.d/b.yaml': 'clients:\n  tv:\n    name: TV\n    interval: 5\n    upstreams: [nowhere]',
          'clients.d/a.yaml': 'clients:\n  robot: { nmae: Robot, client_secret: { env: MISSING } }',
        },
        '[clients.d/*.yaml, "x/*/y.yaml"]',
      ),
    ).toEqual([
      expect.stringMatching(
        /^gatehouse\.yaml:9:29 include\[1\]: found "x\/\*\/y\.yaml", expected \* and \? in the name of the file only/,
      ),
      expect.stringMatching(/^clients\.d\/a\.yaml:2:10 clients\.robot\.name: is missing/),
      expect.stringMatching(/^clients\.d\/a\.yaml:2:12 clients\.robot\.nmae: unknown key, did you mean name\?/),
      expect.stringMatching(
        /^clients\.d\/a\.yaml:2:40 clients\.robot\.client_secret: environment variable MISSING is not set/,
      ),
      expect.stringMatching(/^clients\.d\/b\.yaml:4:15 clients\.tv\.interval: found 5/),
      expect.stringMatching(/^clients\.d\/b\.yaml:5:17 clients\.tv\.upstreams\[0\]: "nowhere" is no upstream/),
    ]);
  });

  it.each<[string, Files, RegExp]>([
    [
      'broken YAML',
      { 'clients.d/a.yaml': 'clients:\n  tv: [1' },
      /^clients\.d\/a\.yaml:2:9 \(file\): cannot be read as YAML/,
    ],
    [
      'an entry of the main file again',
      { 'clients.d/a.yaml': 'clients:\n  cli: { name: Again }' },
      /^clients\.d\/a\.yaml:2:3 clients\.cli: is there twice \(first in gatehouse\.yaml:7\), expected it once/,
    ],
    [
      'an entry of another file again',
      { 'clients.d/a.yaml': 'clients: { tv: { name: TV } }', 'clients.d/b.yaml': 'clients: { tv: { name: TV } }' },
      /^clients\.d\/b\.yaml:1:12 clients\.tv: is there twice \(first in clients\.d\/a\.yaml:1\)/,
    ],
    [
      'a key twice',
      { 'clients.d/a.yaml': 'clients:\n  tv: { name: TV, name: TV }' },
      /^clients\.d\/a\.yaml:2:19 clients\.tv\.name: is there twice \(first in line 2\)/,
    ],
    [
      'a key of the main file',
      { 'clients.d/a.yaml': 'clients: {}\nlimits: { pending_total: 1 }' },
      /^clients\.d\/a\.yaml:2:1 limits: stands in an included file, expected it in gatehouse\.yaml/,
    ],
    [
      'a key that nobody knows',
      { 'clients.d/a.yaml': 'client: {}' },
      /^clients\.d\/a\.yaml:1:1 client: stands in an included file/,
    ],
    [
      'further files',
      { 'clients.d/a.yaml': 'include: [b.yaml]' },
      /^clients\.d\/a\.yaml:1:1 include: stands in an included file/,
    ],
    [
      'a list',
      { 'clients.d/a.yaml': '- clients' },
      /^clients\.d\/a\.yaml:1:1 \(file\): found no section, expected the keys upstreams, clients/,
    ],
    [
      'a section that is none',
      { 'clients.d/a.yaml': 'clients: [tv]' },
      /^clients\.d\/a\.yaml:1:10 clients: found a list, expected a section with one entry per client/,
    ],
    [
      'a name that objects have',
      { 'clients.d/a.yaml': 'clients: { __proto__: { name: x } }' },
      /^clients\.d\/a\.yaml:1:12 \(file\): .*__proto__ cannot be a key/,
    ],
    [
      'a placeholder',
      { 'clients.d/a.yaml': `clients: { tv: { name: "\${NAME}" } }` },
      /^clients\.d\/a\.yaml:1:24 clients\.tv\.name: found "\$\{NAME\}"/,
    ],
  ])('is told: %s', async (_, files, words) => {
    expect(await problems(files)).toEqual([expect.stringMatching(words)]);
  });

  it.each([
    [
      'a file that is not there',
      '[nowhere.yaml]',
      /^gatehouse\.yaml:9:11 include\[0\]: file .*nowhere\.yaml cannot be read \(there is no such file\)/,
    ],
    [
      'a folder',
      '[clients.d]',
      /^gatehouse\.yaml:9:11 include\[0\]: file .*clients\.d cannot be read \(it is a folder\)/,
    ],
    [
      'a text',
      'clients.d/*.yaml',
      /^gatehouse\.yaml:9:10 include: found "clients\.d\/\*\.yaml", expected a list of files/,
    ],
    ['a number', '[1]', /^gatehouse\.yaml:9:11 include\[0\]: found 1, expected a file such as/],
  ])('is told: %s', async (_, include, words) => {
    expect(await problems({ 'clients.d/a.txt': '' }, include)).toEqual([expect.stringMatching(words)]);
  });
});
