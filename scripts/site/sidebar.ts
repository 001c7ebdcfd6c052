import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SitePage, siteLink } from './site-pages.ts';

interface SidebarGroup {
  text: string;
  collapsed: boolean;
  items: { text: string; link: string }[];
}

/** The headings of docs/README.md and the pages below each, so that the index and the sidebar cannot differ. */
export function sidebar(pages: readonly SitePage[], repository: string): SidebarGroup[] {
  const index = pages.find(({ path }) => path === 'guide.md');
  if (index === undefined) throw new Error('docs/README.md is missing');
  const [, ...sections] = readFileSync(join(import.meta.dirname, '../../docs/README.md'), 'utf8').split('\n## ');
  return sections.map((section) => {
    const [text = ''] = section.split('\n');
    const links = [...section.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, words = '', target = '']) => ({
      text: words.replace(/^./, (letter) => letter.toUpperCase()),
      link: siteLink(target, index, pages, repository).replace(/^\.\//, '/'),
    }));
    return { text, collapsed: false, items: links };
  });
}

/** The decisions have no index in the repository, whose folder is one. */
export function decisionsIndex(pages: readonly SitePage[]): string {
  const rows = pages
    .filter(({ path }) => /^decisions\/\d/.test(path))
    .map(({ path, source }) => {
      const [, title = path] = /^# (.*)$/m.exec(readFileSync(join(import.meta.dirname, '../..', source), 'utf8')) ?? [];
      return `- [${title}](./${path.replace('decisions/', '')})`;
    });
  return `# Decisions\n\nWhy things are as they are: a page for each decision, with what it costs.\n\n${rows.join('\n')}\n`;
}
