import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bagNames,
  cycles,
  doorsInGrants,
  longFiles,
  misdirectedImports,
  misplacedCalls,
  misplacedPackages,
  type Source,
} from './support/import-rules.ts';

const root = join(import.meta.dirname, '..');

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replaceAll('\\', '/'))
    .map((file) => ({ file, text: readFileSync(join(root, folder, file), 'utf8') }));
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe('the source', () => {
  const sources = sourcesIn('src');
  const dependencies = Object.keys(manifest.dependencies);

  it('imports inwards only', () => expect(misdirectedImports(sources)).toEqual([]));
  it('has no circle between its parts', () => expect(cycles(sources)).toEqual([]));
  it('keeps each package where it belongs', () => expect(misplacedPackages(sources, dependencies)).toEqual([]));
  it('keeps the domain free of doors', () => expect(doorsInGrants(sources)).toEqual([]));
  it('leaves the environment to config/ and the process to main.ts and cli/', () =>
    expect(misplacedCalls(sources)).toEqual([]));
  it('has no bags', () => expect(bagNames(sources.map(({ file }) => file))).toEqual([]));
  it('has no file that everything flows through', () => expect(longFiles(sources)).toEqual([]));
});

describe('the rules above', () => {
  const slip = (file: string, text: string): Source[] => [{ file, text }];

  it.each([
    ['an outward import', misdirectedImports(slip('grants/a.ts', "import { b } from '../pages/b.ts';"))],
    ['an outward type', misdirectedImports(slip('oauth/a.ts', "import type { B } from '../grants/b.ts';"))],
    ['one door in the other', misdirectedImports(slip('endpoints/a.ts', "export * from '../pages/b.ts';"))],
    ['an import that spans lines', misdirectedImports(slip('pages/a.ts', "import {\n  b,\n} from '../config/b.ts';"))],
    ['an import when called', misdirectedImports(slip('tokens/a.ts', "const b = await import('../cli/b.ts');"))],
    ['an import for its effect', misdirectedImports(slip('limits/a.ts', "import '../storage/b.ts';"))],
    ['code in the settings', misdirectedImports(slip('config/a.ts', "import { b } from '../pages/b.ts';"))],
    ['an unknown folder', misdirectedImports(slip('services/a.ts', ''))],
    ['something outside', misdirectedImports(slip('cli/a.ts', "import { b } from '../../test/b.ts';"))],
    ['Redis in a door', misplacedPackages(slip('endpoints/a.ts', "import { Redis } from 'ioredis';"), ['ioredis'])],
    ['Express in an endpoint', misplacedPackages(slip('endpoints/a.ts', "import e from 'express';"), ['express'])],
    ['a second adapter', misplacedPackages(slip('upstream/b.ts', "import * as c from 'openid-client';"), [])],
    ['a package for development', misplacedPackages(slip('cli/a.ts', "import { x } from 'tsx';"), ['jose'])],
    ['a socket in the domain', doorsInGrants(slip('grants/a.ts', "import { Agent } from 'node:http';"))],
    ['the environment', misplacedCalls(slip('pages/a.ts', "const x = process.env['X'];"))],
    ['a listener', misplacedCalls(slip('broker.ts', 'server.listen(0);'))],
    ['an exit', misplacedCalls(slip('config/a.ts', 'process.exit(78);'))],
    ['a bag', bagNames(['pages/utils.ts'])],
    ['a bag of files', bagNames(['helpers/a.ts'])],
    ['a long file', longFiles(slip('pages/a.ts', 'x;\n'.repeat(251)))],
    [
      'a long file with an example',
      longFiles(slip('pages/a.ts', `/**\n * @example\n * \`\`\`ts\n * a;\n * \`\`\`\n */\n${'x;\n'.repeat(249)}`)),
    ],
    [
      'a circle',
      cycles([
        { file: 'grants/a.ts', text: "import { b } from '../tokens/b.ts';" },
        { file: 'tokens/b.ts', text: "import type { C } from '../limits/c.ts';" },
        { file: 'limits/c.ts', text: "import { a } from '../grants/a.ts';" },
      ]),
    ],
  ])('find %s', (_, found) => expect(found).toHaveLength(1));

  it('count no example of the documentation as a line of code', () => {
    const example = `/**\n * @example\n * \`\`\`ts\n${' * a;\n'.repeat(200)} * \`\`\`\n */\n`;
    expect(longFiles(slip('pages/a.ts', `${example}${'x;\n'.repeat(240)}`))).toEqual([]);
  });

  it('leave comments and what is in order alone', () => {
    const text = [
      '// process.env is read elsewhere; import { a } from "../pages/a.ts"',
      "import { Secret } from '../sealing/secret.ts';",
      "import { createHmac } from 'node:crypto';",
    ].join('\n');
    const sources = slip('grants/a.ts', text);
    expect([...misdirectedImports(sources), ...misplacedPackages(sources, []), ...misplacedCalls(sources)]).toEqual([]);
  });
});

describe('the project', () => {
  it('has no test that does not run', () => {
    const offenders = sourcesIn('test')
      .filter(({ text }) => /\b(it|test|describe|suite)\.(skip|only|todo|fails|skipIf|runIf)\b|\bskip\(\)/.test(text))
      .map(({ file }) => `test/${file}`);
    expect(offenders).toEqual([]);
  });

  it('locks no download address, so that any registry serves', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": *"https?:/);
  });

  it('names exact versions', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${name}@${version}`);
    expect(loose).toEqual([]);
  });
});
