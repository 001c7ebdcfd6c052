// Copied beside the staged pages by build-site.ts, with what it knows of them.
import { readFileSync } from 'node:fs';

const { sidebar, home, version } = JSON.parse(readFileSync(new URL('facts.json', import.meta.url), 'utf8'));

// GitHub's anchors: the links of the pages are made for them.
const slugify = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

export default {
  title: 'Gatehouse',
  description: 'A device-authorization broker (RFC 8628) before the OpenID provider that a company already has',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'src',
  outDir: 'dist',
  cleanUrls: false,
  markdown: {
    // No page says `<tag>` and means one, nor `{{ name }}` or `{ key: value }`.
    html: false,
    attrs: { disable: true },
    linkify: false,
    anchor: { slugify },
    config(markdown) {
      markdown.renderer.rules.code_inline = (tokens, index) =>
        `<code v-pre>${markdown.utils.escapeHtml(tokens[index].content)}</code>`;
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Where to read what', link: '/guide' },
      { text: 'API', link: '/api/' },
      { text: `Changes (${version})`, link: '/changelog' },
    ],
    sidebar: { '/api/': [{ text: 'API reference', link: '/api/' }, ...sidebar], '/': sidebar },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: home }],
  },
};
