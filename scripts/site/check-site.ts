import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * What is wrong with a built site: links and pictures that lead nowhere in it, headings that are not there, and anything
 * that a page would load from somebody else.
 */
export function problemsOf(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  const pages = files.filter((file) => file.endsWith('.html'));
  const texts = new Map(pages.map((page) => [page, readFileSync(join(folder, page), 'utf8')]));
  const ids = new Map([...texts].map(([page, text]) => [page, idsIn(text)]));
  return pages.flatMap((page) => {
    const text = texts.get(page) ?? '';
    const links = attributesIn(text, 'a', 'href').filter((target) => !/^\w+:|^\/\//.test(target));
    const loaded = [
      ...attributesIn(text, 'img', 'src'),
      ...attributesIn(text, 'script', 'src'),
      ...attributesIn(text, 'link', 'href'),
    ];
    return [
      ...loaded.filter((target) => /^(https?:)?\/\//.test(target)).map((target) => `${page}: loads ${target}`),
      ...[...links, ...loaded.filter((target) => !/^(\w+:|\/\/)/.test(target))].flatMap((target) => {
        const problem = problemOf(target, page, { folder, ids });
        return problem === undefined ? [] : [`${page}: ${problem}`];
      }),
    ];
  });
}

interface Site {
  folder: string;
  ids: ReadonlyMap<string, ReadonlySet<string>>;
}

function problemOf(target: string, page: string, { folder, ids }: Site): string | undefined {
  const [path = '', anchor] = decodeURI(target).split('#');
  const at = path === '' ? page : posix.join(path.startsWith('/') ? '' : posix.dirname(page), path);
  const file = [at, `${at}.html`, posix.join(at, 'index.html')]
    .map((each) => each.replace(/^\//, ''))
    .find((each) => existsSync(join(folder, each)) && statSync(join(folder, each)).isFile());
  if (file === undefined) return `${target} leads nowhere`;
  const known = ids.get(file);
  if (anchor !== undefined && anchor !== '' && known?.has(anchor) === false) return `${target}: no such heading`;
  return undefined;
}

function idsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => decodeEntities(id)));
}

function attributesIn(text: string, tag: string, name: string): string[] {
  const found = text.matchAll(new RegExp(`<${tag}\\b[^>]*?\\s${name}="([^"]*)"`, 'g'));
  return [...found].map(([, value = '']) => decodeEntities(value));
}

function decodeEntities(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");
}
