import { delimiter, join } from 'node:path';
import { parseJsonObject } from '../../oauth/json-object.ts';
import { type FileChange, textOf } from './file-change.ts';
import { changeBack } from './kept-before.ts';
import { type HelperDeps, type HelperWish, type OtherTool, placeFor } from './other-tool.ts';
import { shellWords } from './own-command.ts';

type DockerConfig = Record<string, unknown> & { credHelpers?: Record<string, string> };

/** Docker starts a program of a certain name; it is two lines that start us, and the configuration names it for one registry. */
export const dockerTool: OtherTool = {
  async install(wish, deps) {
    const [path, program] = [configOf(deps), programOf(wish, deps)];
    const [before, programBefore] = [await textOf(path), await textOf(program)];
    const config = read(before ?? '{}', path);
    const after = written({ ...config, credHelpers: { ...config.credHelpers, [wish.host]: shortName(wish) } }, before);
    const changes: FileChange[] = [
      { path: program, before: programBefore, after: script(wish, deps), mode: 0o755 },
      { path, before, after, shown: [`+ credHelpers: ${wish.host}: ${shortName(wish)}`] },
    ];
    return changes.filter((change) => change.before !== change.after && !isInstalled(change, config, wish));
  },
  async remove(wish, deps) {
    const [path, program] = [configOf(deps), programOf(wish, deps)];
    const change = await changeBack(placeFor(wish, deps), path, (text) => withoutHost(text, wish, path));
    const before = await textOf(program);
    const isOurs = before?.includes(' token --format docker ') === true;
    return [
      ...(change === undefined ? [] : [{ ...change, shown: [`- credHelpers: ${wish.host}`] }]),
      ...(isOurs ? [{ path: program, before, after: undefined }] : []),
    ];
  },
  next(wish, deps) {
    const folder = binOf(wish, deps);
    const isFound = (deps.environment['PATH'] ?? '').split(delimiter).includes(folder);
    return `Then docker asks gatehouse for ${wish.host}.${isFound ? '' : ` ${folder} is not in $PATH yet: docker must find it there.`}`;
  },
};

function isInstalled({ path }: FileChange, config: DockerConfig, wish: HelperWish): boolean {
  return path.endsWith('config.json') && config.credHelpers?.[wish.host] === shortName(wish);
}

function configOf({ environment, home }: HelperDeps): string {
  return join(environment['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json');
}

function binOf({ bin }: HelperWish, { home }: HelperDeps): string {
  return bin ?? join(home, '.local/bin');
}

/** One for each registry: each gives its token to that one alone. */
function shortName({ profile, host }: HelperWish): string {
  return `gatehouse-${profile}-${host.replaceAll(/[^a-z0-9.]/g, '-')}`;
}

function programOf(wish: HelperWish, deps: HelperDeps): string {
  const ending = process.platform === 'win32' ? '.cmd' : '';
  return join(binOf(wish, deps), `docker-credential-${shortName(wish)}${ending}`);
}

function script({ profile, host, username }: HelperWish, { command }: HelperDeps): string {
  const name = username === undefined ? [] : ['--username', username];
  const words = [...command, 'token', '--format', 'docker', '--for', host, '--profile', profile, ...name];
  if (process.platform === 'win32') return `@${words.map((word) => `"${word}"`).join(' ')} %*\r\n`;
  return `#!/bin/sh\nexec ${shellWords(words)} "$@"\n`;
}

function withoutHost(text: string, wish: HelperWish, path: string): string {
  const config = read(text, path);
  if (config.credHelpers?.[wish.host] !== shortName(wish)) return text;
  const others = Object.entries(config.credHelpers).filter(([host]) => host !== wish.host);
  const { credHelpers: _, ...rest } = config;
  return written(others.length === 0 ? rest : { ...config, credHelpers: Object.fromEntries(others) }, text);
}

function read(text: string, path: string): DockerConfig {
  const config = parseJsonObject(text);
  if (config !== undefined) return config as DockerConfig;
  throw new Error(`${path} cannot be read as JSON, and is left as it is`);
}

/** Docker writes it with tabs. */
function written(config: DockerConfig, before: string | undefined): string {
  const indent = /\n([ \t]+)"/.exec(before ?? '')?.[1] ?? '\t';
  return JSON.stringify(config, undefined, indent) + (before?.endsWith('\n') === true ? '\n' : '');
}
