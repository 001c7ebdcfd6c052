import { isAbsolute, join } from 'node:path';
import { textOf } from './file-change.ts';
import { changeBack } from './kept-before.ts';
import { type HelperDeps, type HelperWish, type OtherTool, placeFor } from './other-tool.ts';
import { shellWords } from './own-command.ts';

/** A block between two comments in the person's own file, so that it can be found again as it was written. */
export const gitTool: OtherTool = {
  async install(wish, deps) {
    const path = await configOf(deps);
    const before = await textOf(path);
    if (before?.includes(block(wish, deps)) === true) return [];
    const rest = before === undefined ? '' : withoutBlock(before, wish);
    const gap = rest === '' || rest.endsWith('\n') ? '' : '\n';
    return [{ path, before, after: rest + gap + block(wish, deps), mode: 0o644 }];
  },
  async remove(wish, deps) {
    const change = await changeBack(placeFor(wish, deps), await configOf(deps), (text) => withoutBlock(text, wish));
    return change === undefined ? [] : [change];
  },
  next: ({ host }) => `Then git asks gatehouse for ${host}: git ls-remote https://${host}/…`,
};

/** As git looks for it: the file in the home wins over the XDG one, and is where git itself writes. */
async function configOf({ home, environment }: HelperDeps): Promise<string> {
  const stated = environment['GIT_CONFIG_GLOBAL'];
  if (stated !== undefined && isAbsolute(stated)) return stated;
  const xdg = join(environment['XDG_CONFIG_HOME'] || join(home, '.config'), 'git/config');
  const own = join(home, '.gitconfig');
  return (await textOf(own)) === undefined && (await textOf(xdg)) !== undefined ? xdg : own;
}

function block(wish: HelperWish, { command }: HelperDeps): string {
  const { profile, host, username } = wish;
  const name = username === undefined ? [] : ['--username', username];
  const words = shellWords([...command, 'token', '--format', 'git', '--for', host, '--profile', profile, ...name]);
  // git(1) wants quotes and backslashes escaped. The empty helper takes out those that would keep the token.
  const quoted = `"!${words.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)}"`;
  const lines = [`[credential "${schemeOf(host)}://${host}"]`, '\thelper =', `\thelper = ${quoted}`];
  return `${[begin(wish), ...lines, END].join('\n')}\n`;
}

/** Plain http is for this machine alone; gatehouse token gives nothing to others over it. */
function schemeOf(host: string): string {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(host) ? 'http' : 'https';
}

const END = '# gatehouse helper: end';

function begin({ profile, host }: HelperWish): string {
  return `# gatehouse helper: ${profile} for ${host}`;
}

function withoutBlock(text: string, wish: HelperWish): string {
  const start = text.startsWith(`${begin(wish)}\n`) ? 0 : text.indexOf(`\n${begin(wish)}\n`) + 1;
  const isThere = text.startsWith(`${begin(wish)}\n`) || start > 0;
  const end = text.indexOf(`${END}\n`, start);
  return isThere && end >= 0 ? text.slice(0, start) + text.slice(end + END.length + 1) : text;
}
