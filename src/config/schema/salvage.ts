import { isSection } from '../yaml/yaml-nodes.ts';
import type { Path } from '../yaml/yaml-source.ts';
import { type ConfigFile, fileSchema } from './file-schema.ts';
import { schemaProblems } from './schema-problems.ts';

/** Something that is well-formed, in the place of a required value that is missing or wrong. */
const LEAST = {
  public_url: 'http://127.0.0.1',
  upstreams: { none: { issuer: 'http://127.0.0.1', client_id: '-' } },
  clients: {},
};

/** By the name of the key. A map, since these names are an administrator's, and every object has a `constructor`. */
const STAND_INS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...Object.entries(LEAST),
  ['name', '-'],
  ['issuer', 'http://127.0.0.1'],
  ['client_id', '-'],
]);

/** Every second round cuts one step nearer to the root, and nothing in the file is nested deeper than this reaches. */
const ROUNDS = 8;

/**
 * What is left of a file after everything that the schema refused is taken out, so that the rules between keys can be
 * checked in the same run: somebody with ten mistakes wants to hear of ten. `wrong` are the paths whose value is
 * now another than the one that was written; a rule that looks at one of them has nothing to say.
 */
export function salvage(value: unknown, problems: readonly { path: Path }[]): { file: ConfigFile; wrong: Path[] } {
  const mended = isSection(value) ? structuredClone(value) : {};
  const wrong: Path[] = [];
  let paths: Path[] = problems.map(({ path }) => path);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const path of paths) {
      // Taking one item out of a list would move the others.
      const list = path.findIndex((step) => typeof step === 'number');
      const whole = path.slice(0, list === -1 ? Math.max(path.length - Math.floor(round / 2), 1) : list);
      replace(mended, whole);
      wrong.push(whole);
    }
    const result = fileSchema.safeParse(mended, { jitless: true });
    if (result.success) return { file: result.data, wrong };
    paths = schemaProblems(result.error.issues).map(({ path }) => path);
  }
  return { file: fileSchema.parse(LEAST), wrong: [[]] };
}

function replace(root: Record<string, unknown>, path: Path): void {
  const name = String(path.at(-1) ?? '');
  const parent = path.slice(0, -1).reduce<unknown>((at, step) => memberOf(at, String(step)), root);
  if (!isSection(parent)) return;
  const standIn = STAND_INS.get(name);
  delete parent[name];
  if (standIn !== undefined) parent[name] = structuredClone(standIn);
}

function memberOf(section: unknown, name: string): unknown {
  return isSection(section) && Object.hasOwn(section, name) ? section[name] : undefined;
}
