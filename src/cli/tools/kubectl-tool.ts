import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isMap, isSeq, parse, parseDocument } from 'yaml';
import { textOf } from './file-change.ts';
import { changeBack } from './kept-before.ts';
import { type HelperDeps, type HelperWish, type OtherTool, placeFor } from './other-tool.ts';

const NEW_FILE = 'apiVersion: v1\nkind: Config\n';

interface KubeConfig {
  users?: { name?: unknown }[] | null;
}

/**
 * A user of the kubeconfig that kubectl asks us for; clusters and contexts are the person's. It is set into the text, so that
 * comments and the person's own lines stay as they are; what comes out is read again before it is written.
 */
export const kubectlTool: OtherTool = {
  async install(wish, deps) {
    const path = configOf(deps);
    const before = await textOf(path);
    const config = read(before ?? NEW_FILE, path);
    const entry = userEntry(wish, deps);
    const users = config.users ?? [];
    if (users.some((user) => isDeepStrictEqual(user, entry))) return [];
    if (users.some(({ name }) => name === entry.name)) {
      throw new Error(`${path} has another user ${entry.name}, and is left as it is. Remove that one first.`);
    }
    const after = withUser(before ?? NEW_FILE, entry);
    const wanted = { ...config, users: [entry, ...users] };
    if (!isDeepStrictEqual(parse(after), wanted)) {
      throw new Error(`${path} is in a form that nothing can be set into; it is left as it is`);
    }
    return [{ path, before, after, shown: linesOf(entry, '').map((line) => `+ ${line}`) }];
  },
  async remove(wish, deps) {
    const path = configOf(deps);
    const change = await changeBack(placeFor(wish, deps), path, (text) => withoutUser(text, wish, path));
    return change === undefined ? [] : [{ ...change, shown: [`- users: ${userName(wish)}`] }];
  },
  next: (wish) => `Then: kubectl config set-context --current --user=${userName(wish)}`,
};

/** The first file of $KUBECONFIG is where kubectl itself writes. */
function configOf({ environment, home }: HelperDeps): string {
  const first = (environment['KUBECONFIG'] ?? '').split(delimiter).find((path) => path !== '');
  return first ?? join(home, '.kube/config');
}

function userName({ profile }: HelperWish): string {
  return `gatehouse-${profile}`;
}

function userEntry(wish: HelperWish, { command: [program = 'gatehouse', ...first] }: HelperDeps) {
  const idToken = wish.idToken ? ['--id-token'] : [];
  const args = [...first, 'token', '--format', 'kubectl', '--profile', wish.profile, ...idToken];
  const apiVersion = 'client.authentication.k8s.io/v1';
  return {
    name: userName(wish),
    user: { exec: { apiVersion, command: program, args, interactiveMode: 'IfAvailable' } },
  };
}

/** JSON is YAML, so each line needs no rule of quoting but JSON's. */
function linesOf({ name, user }: ReturnType<typeof userEntry>, indent: string): string[] {
  const { apiVersion, command, args, interactiveMode } = user.exec;
  const members = { apiVersion, command, args, interactiveMode };
  return [
    `${indent}- name: ${name}`,
    `${indent}  user:`,
    `${indent}    exec:`,
    ...Object.entries(members).map(([key, value]) => `${indent}      ${key}: ${JSON.stringify(value)}`),
  ];
}

function withUser(text: string, entry: ReturnType<typeof userEntry>): string {
  const document = parseDocument(text);
  const users = document.get('users', true);
  if (isSeq(users) && users.flow !== true && users.range != null) {
    const [start] = users.range;
    const indent = ' '.repeat(start - text.lastIndexOf('\n', start - 1) - 1);
    return `${text.slice(0, start)}${linesOf(entry, indent).join('\n').trimStart()}\n${indent}${text.slice(start)}`;
  }
  if (users === undefined && isMap(document.contents) && document.contents.flow !== true) {
    return `${text}${text.endsWith('\n') ? '' : '\n'}users:\n${linesOf(entry, '').join('\n')}\n`;
  }
  // JSON, or an empty list: there is no layout of a person's in it.
  const config = parse(text) as KubeConfig;
  const all = { ...config, users: [entry, ...(config.users ?? [])] };
  if (text.trimStart().startsWith('{')) return `${JSON.stringify(all, undefined, 2)}\n`;
  document.set('users', document.createNode([entry]));
  return document.toString({ lineWidth: 0 });
}

function withoutUser(text: string, wish: HelperWish, path: string): string {
  const config = read(text, path);
  const name = userName(wish);
  const others = config.users?.filter((user) => user.name !== name) ?? [];
  if (others.length === (config.users?.length ?? 0)) return text;
  const { users: _, ...rest } = config;
  const wanted = others.length === 0 ? rest : { ...rest, users: others };
  const cut = text
    .replace(new RegExp(`^( *)- name: ${name}\\n(?:\\1 .*\\n)+`, 'm'), '')
    .replace(/^users:\n(?! *-)/m, '');
  const isCut = isDeepStrictEqual(parse(cut), wanted);
  if (isCut) return cut;
  const document = parseDocument(text);
  document.set('users', document.createNode(others));
  return document.toString({ lineWidth: 0 });
}

function read(text: string, path: string): KubeConfig {
  const document = parseDocument(text);
  const users: unknown = document.get('users');
  const isGood = document.errors.length === 0 && isMap(document.contents) && (users == null || isSeq(users));
  if (isGood) return document.toJS() as KubeConfig;
  throw new Error(`${path} cannot be read as a kubeconfig, and is left as it is`);
}
