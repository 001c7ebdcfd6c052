import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const STEP_LIMIT_MS = 180_000;

interface Instruction {
  name: string;
  /** The rest of the line, continuations joined. */
  rest: string;
}

/** What is left of a stage when its COPY and RUN steps were carried out in a folder. */
export interface BuiltStage {
  /** Stands for `/` of the image. */
  root: string;
  workdir: string;
  environment: Record<string, string>;
  user: string | undefined;
  /** What a container runs: ENTRYPOINT, then CMD. */
  entrypoint: string[];
  command: string[];
  healthcheck: string[];
  labels: Record<string, string>;
}

export function parseDockerfile(text: string): Instruction[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest: rest.trim() };
    });
}

/**
 * Carries out a Dockerfile without Docker: each stage is a folder below `target`, its base image is this machine.
 * It knows what our Dockerfile uses, and refuses what it does not know.
 */
export async function carryOut(
  context: string,
  target: string,
  buildArguments: Readonly<Record<string, string>> = {},
): Promise<BuiltStage> {
  const isIgnored = readDockerignore(readFileSync(join(context, '.dockerignore'), 'utf8'));
  const stages = new Map<string, BuiltStage>();
  let stage: BuiltStage | undefined;
  let args: Record<string, string> = {};
  for (const { name, rest } of parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))) {
    if (name === 'FROM') {
      const [, label = `stage-${stages.size}`] = /\sAS\s+(\S+)$/i.exec(rest) ?? [];
      stage = emptyStage(join(target, label));
      stages.set(label, stage);
      args = {};
    } else if (stage === undefined) {
      throw new Error(`${name} before FROM`);
    } else {
      await carryOutStep(stage, { name, rest }, { context, isIgnored, stages, buildArguments, args });
    }
  }
  if (stage === undefined) throw new Error('no FROM');
  return stage;
}

interface Surroundings {
  context: string;
  isIgnored: (path: string) => boolean;
  stages: Map<string, BuiltStage>;
  buildArguments: Readonly<Record<string, string>>;
  /** Of this stage; they end with it. */
  args: Record<string, string>;
}

async function carryOutStep(stage: BuiltStage, { name, rest }: Instruction, surroundings: Surroundings): Promise<void> {
  const here = join(stage.root, stage.workdir);
  switch (name) {
    case 'WORKDIR':
      stage.workdir = resolve(stage.workdir, rest);
      mkdirSync(join(stage.root, stage.workdir), { recursive: true });
      return;
    case 'ENV':
      for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S*)/g)) stage.environment[key] = value;
      return;
    case 'COPY':
      return copy(stage, rest, surroundings);
    case 'RUN': {
      const { NODE_ENV: _, VITEST: __, ...environment } = process.env;
      await run('sh', ['-euc', rest], {
        cwd: here,
        env: { ...environment, npm_config_prefer_offline: 'true', ...stage.environment },
        timeout: STEP_LIMIT_MS,
        maxBuffer: 16 * 1024 * 1024,
      });
      return;
    }
    case 'USER':
      stage.user = rest;
      return;
    case 'ARG': {
      const [argument = '', usual = ''] = rest.split('=');
      surroundings.args[argument] = surroundings.buildArguments[argument] ?? usual;
      return;
    }
    case 'LABEL':
      for (const [, key = '', value = ''] of rest.matchAll(/([\w.]+)="([^"]*)"/g)) {
        stage.labels[key] = value.replaceAll(/\$\{(\w+)\}/g, (_all, each: string) => surroundings.args[each] ?? '');
      }
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest) as string[];
      return;
    case 'CMD':
      stage.command = JSON.parse(rest) as string[];
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
      return;
    case 'EXPOSE':
      return;
    default:
      throw new Error(`nobody taught this reader ${name}`);
  }
}

/** `COPY [--from=stage] source… target`, as Docker does it: a folder's content goes into the target. */
function copy(stage: BuiltStage, rest: string, { context, isIgnored, stages }: Surroundings): void {
  const words = rest.split(/\s+/);
  const from = /^--from=(.+)$/.exec(words[0] ?? '')?.[1];
  const [to = '', ...sources] = (from === undefined ? words : words.slice(1)).reverse();
  const origin = from === undefined ? context : stages.get(from)?.root;
  if (origin === undefined) throw new Error(`COPY from an unknown stage: ${rest}`);
  const destination = join(stage.root, resolve(stage.workdir, to));
  for (const source of sources) {
    const path = join(origin, source);
    const isFolder = statSync(path).isDirectory();
    const filter = (file: string): boolean => from !== undefined || !isIgnored(relative(context, file));
    if (!filter(path)) throw new Error(`.dockerignore keeps ${source} out`);
    const intoFolder = to.endsWith('/') || sources.length > 1;
    const file = isFolder || !intoFolder ? destination : join(destination, basename(source));
    cpSync(path, file, { recursive: true, filter });
  }
}

/** The last line that matches a path, or a folder above it, decides; `!` takes back in. */
function readDockerignore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const pattern = line.replace(/^!/, '').replace(/^\/|\/$/g, '');
      const source = pattern
        .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('**/', '\u0000')
        .replaceAll('*', '[^/]*')
        .replaceAll('\u0000', '(.*/)?');
      return { isBack: line.startsWith('!'), matches: new RegExp(`^${source}(/|$)`) };
    });
  return (path) => {
    const last = rules.findLast(({ matches }) => matches.test(path));
    return last !== undefined && !last.isBack;
  };
}

function emptyStage(root: string): BuiltStage {
  mkdirSync(root, { recursive: true });
  return {
    ...{ root, workdir: '/', environment: {}, user: undefined },
    ...{ entrypoint: [], command: [], healthcheck: [], labels: {} },
  };
}
