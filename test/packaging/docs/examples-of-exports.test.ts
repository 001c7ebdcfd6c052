import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
/** Below the root, so that the packages of the examples are found. */
const FOLDER = join(ROOT, '.cache/examples');

interface Exported {
  name: string;
  file: string;
  example: string | undefined;
}

/** What an entry of the package exports, and where each is declared. */
function exportsOf(entry: string): Exported[] {
  const text = readFileSync(join(ROOT, entry), 'utf8');
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(([, names = '', from = '']) => {
    const file = join(dirname(entry), from);
    const source = readFileSync(join(ROOT, file), 'utf8');
    const each = names.split(',').map((name) => name.replace(/^\s*type /, '').trim());
    return each.filter((name) => name !== '').map((name) => ({ name, file, example: exampleOf(source, name) }));
  });
}

/** The example in the comment right before a declaration. */
function exampleOf(source: string, name: string): string | undefined {
  const declaration = new RegExp(
    `/\\*\\*((?:(?!\\*/)[^])*)\\*/\\nexport (?:async )?(?:interface|type|class|function|const) ${name}\\b`,
  );
  const [, comment = ''] = declaration.exec(source) ?? [];
  const [, body] = /@example\n \* ```ts\n((?: \*.*\n)*?) \* ```\n/.exec(comment) ?? [];
  return body?.replaceAll(/^ \* ?/gm, '');
}

const exported = ['src/index.ts', 'src/contract.ts'].flatMap(exportsOf);

/** What the compiler says of the examples, as strictly as it judges our own code. */
function compile(examples: readonly { name: string; example?: string | undefined }[]): string {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  // Examples make values and do not use them; modules of their own, so that each may call them the same.
  const options = { noUnusedLocals: false, isolatedModules: false, verbatimModuleSyntax: false };
  const config = { extends: '../../tsconfig.json', compilerOptions: options, include: ['*.ts', '../../src/**/*.d.ts'] };
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config));
  for (const { name, example = '' } of examples) writeFileSync(join(FOLDER, `${name}.ts`), `${example}\nexport {};\n`);
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', FOLDER], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout);
  }
}

describe('the pages of what the package exports', () => {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

  it('are written of every entry, to where git does not look', () => {
    const { entryPoints, out } = JSON.parse(read('scripts/api-docs/typedoc.json')) as {
      entryPoints: string[];
      out: string;
    };
    const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, string | { default: string }> };
    const built = Object.values(exports).flatMap((each) => (typeof each === 'string' ? [] : [each.default]));
    const sources = built.map((file) => file.replace('./dist/', '../../src/').replace(/js$/, 'ts'));
    expect(entryPoints).toEqual(sources);
    expect(join('scripts/api-docs', out)).toMatch(/^\.cache\//);
    expect(read('.gitignore').split('\n')).toContain('.cache/');
  });

  it('are written by exact versions, from any registry', () => {
    const { devDependencies } = JSON.parse(read('scripts/api-docs/package.json')) as {
      devDependencies: Record<string, string>;
    };
    for (const version of Object.values(devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(read('scripts/api-docs/package-lock.json')).not.toMatch(/"resolved": *"https?:/);
  });
});

describe('the examples of what the package exports', () => {
  let problems = '';
  beforeAll(() => {
    problems = compile(exported);
  }, 120_000);
  afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

  it('are all there', () => {
    expect(exported.length).toBeGreaterThan(40);
    expect(exported.map(({ name }) => name)).toEqual(expect.arrayContaining(['createBroker', 'Storage', 'Outage']));
    expect(exported.filter(({ example }) => example === undefined).map(({ name, file }) => `${file}: ${name}`)).toEqual(
      [],
    );
  });

  it.each(exported)('$name is used in its own, and comes from the package', ({ name, example = '' }) => {
    expect(example).toMatch(new RegExp(`import [^;]*\\b${name}\\b[^;]*from 'gatehouse-broker(/contract)?';`));
    const used = example.replace(/import [^;]*;/g, '');
    expect(used).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('compile', () => expect(problems).toBe(''));

  it('would not, with a name that is not exported, or a member that there is not', { timeout: 120_000 }, () => {
    const found = compile([
      { name: 'unknown', example: "import { createHouse } from 'gatehouse-broker';\ncreateHouse();" },
      { name: 'member', example: "import { memoryStorage } from 'gatehouse-broker';\nmemoryStorage().ledgers.now();" },
    ]);
    expect(found).toMatch(/unknown\.ts.*TS2305/);
    expect(found).toMatch(/member\.ts.*TS2551/);
  });
});
