import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PEERS } from '../../../interop/peers.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const PAGE = read('docs/resource-servers.md');

function blockOf(heading: string): string {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`);
  const [, block = ''] = /^```\w+\n([\s\S]*?)^```$/m.exec(section) ?? [];
  return block;
}

/** What stands between the marks of a program, without the indentation that it has there. */
function marked(file: string): string {
  const [, between = ''] = /^ *\/\/ <page>\n([\s\S]*?)^ *\/\/ <\/page>$/m.exec(read(file)) ?? [];
  const indent = /^ */.exec(between)?.[0] ?? '';
  return `${between.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trimEnd()}\n`;
}

describe('docs/resource-servers.md shows what `npm run interop` runs', () => {
  it.each([
    ['Node', () => read('interop/programs/resource/verify.mjs')],
    ['Python', () => read('interop/programs/resource/verify.py')],
    ['Go', () => marked('interop/programs/goidc/main.go')],
    ['Java: Spring Boot', () => marked('interop/programs/spring-at-jwt/Api.java')],
    ['nginx', () => read('deploy/nginx/resource-server/gatehouse-token.js')],
  ])('for %s', (heading, program) => {
    expect(program().length).toBeGreaterThan(200);
    expect(blockOf(heading)).toBe(program());
  });

  it('for Envoy: a part of the file', () => {
    const part = parse(blockOf('Envoy')) as object;
    const whole = JSON.stringify(parse(read('deploy/envoy/envoy.yaml')));
    expect(whole).toContain(JSON.stringify(part).slice(1, -1));
  });

  it('by the names that the command knows', () => {
    const [, names = ''] = /`npm run interop -- ([^`]+)`/.exec(PAGE) ?? [];
    const known = PEERS.map(({ name }) => name);
    expect(names.split(' ').length).toBeGreaterThan(5);
    expect(names.split(' ').filter((name) => !known.includes(name))).toEqual([]);
  });
});
