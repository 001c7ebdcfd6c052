import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOG_EVENTS } from '../../../src/telemetry/log-events.ts';
import { CLUSTER_RIGHTS, LEAST_RIGHTS, SENTINEL_RIGHTS } from '../../support/broker/least-rights.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'docs/operations');
const pages = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

describe('the operations pages', () => {
  it.each(pages)('%s: every link leads to something', (_name, text) => {
    const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
    const local = links.filter((link) => !/^https?:/.test(link));
    expect(local.filter((link) => !existsSync(join(dirname(join(folder, 'x')), link)))).toEqual([]);
  });

  it('redis.md has the rights under which all tests run', () => {
    const page = readFileSync(join(folder, 'redis.md'), 'utf8');
    for (const line of [...LEAST_RIGHTS, CLUSTER_RIGHTS, SENTINEL_RIGHTS]) expect(page).toContain(line);
  });

  it('incidents.md names no log event that there is not', () => {
    const text = readFileSync(join(folder, 'incidents.md'), 'utf8');
    const named = [...text.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, name = '']) => name);
    const events = named.filter((name) =>
      Object.keys(LOG_EVENTS).some((each) => each.split('.')[0] === name.split('.')[0]),
    );
    expect(events.filter((name) => !Object.hasOwn(LOG_EVENTS, name))).toEqual([]);
  });
});
