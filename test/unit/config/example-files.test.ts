import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../../src/config/load-config.ts';
import { configJsonSchema, type JsonSchema } from '../../../src/config/schema/json-schema.ts';
import { ecPrivate, jwks, rsaPrivate, sealingKey } from './keys.ts';
import { isSecret, schemaRows } from './schema-rows.ts';
import { folderWith, problemsOf, STRONG } from './written.ts';

const example = join(import.meta.dirname, '../../../config/gatehouse.example.yaml');
const demo = join(import.meta.dirname, '../../../config/demo.yaml');
const text = readFileSync(example, 'utf8');

describe('config/gatehouse.example.yaml', () => {
  it('loads, once what it names is there', async () => {
    const folder = folderWith({ 'signing-keys.json': jwks(rsaPrivate, ecPrivate), 'redis-ca.pem': 'a certificate' });
    const file = join(folder, 'gatehouse.yaml');
    copyFileSync(example, file);
    const names = [...text.matchAll(/\{ env: (\w+) \}/g)].map(([, name]) => name ?? '');
    const environment = Object.fromEntries(names.map((name) => [name, STRONG]));
    const config = await loadConfig(file, { ...environment, GATEHOUSE_SEALING_KEY: sealingKey() });
    expect(config.warnings).toEqual([]);
    expect(config.storage).toMatchObject({
      redis: { at: { url: 'rediss://redis.internal:6379/0' }, tls: { ca: 'a certificate' } },
    });
    const [cli, robot] = config.clients;
    // What stands there key by key is what stands there by name.
    expect(robot?.safeguards).toEqual(cli?.safeguards);
  });

  it('has alternatives that are right too, but for being alternatives', () => {
    const all = text.replace(/^( *)# (?=[a-z_]+: )/gm, '$1');
    const ofAlternatives = problemsOf(all, { files: {} }).filter(
      ({ text: words }) => !/^environment variable|cannot be read/.test(words),
    );
    expect(ofAlternatives.map(({ key, text: words }) => `${key} ${words}`)).toEqual([
      expect.stringMatching(/^storage\.redis found url and socket and cluster and sentinel/),
      expect.stringMatching(/^upstreams\.corp\.private_key is not used/),
      expect.stringMatching(/^clients\.build-cli\.client_secret is not used/),
      expect.stringMatching(/^clients\.build-cli\.jwks is not used/),
      expect.stringMatching(/^pages\.views .* is not a folder/),
    ]);
  });

  it('has every key of the schema in its section', () => {
    const sections = new Map<string, string>();
    for (const section of text.split(/^(?=[a-z_]+:)/m)) sections.set(/^[a-z_]+/.exec(section)?.[0] ?? '', section);
    const missing = schemaRows(configJsonSchema()).filter(({ path }) => {
      const key = path.split('.').at(-1) ?? '';
      const section = sections.get(path.split('.')[0] ?? '') ?? '';
      return key !== '<id>' && !new RegExp(`(^|[\\s{])${key}:`).test(section);
    });
    expect(missing.map(({ path }) => path)).toEqual([]);
  });

  it('has the default wherever there is one', () => {
    const others: string[] = [];
    const compare = (schema: JsonSchema, value: unknown, path: string): void => {
      if (value === undefined || isSecret(schema)) return;
      const { properties, additionalProperties: entry, anyOf } = schema;
      if (properties !== undefined) {
        for (const [key, inner] of Object.entries(properties)) {
          compare(inner, (value as Record<string, unknown>)[key], `${path}.${key}`);
        }
      } else if (typeof entry === 'object' && entry.properties !== undefined) {
        for (const [id, inner] of Object.entries(value as object)) compare(entry, inner, `${path}.${id}`);
      } else if (anyOf?.[1]?.properties !== undefined && typeof value === 'object' && !Array.isArray(value)) {
        compare(anyOf[1], value, path);
      } else if ('default' in schema && JSON.stringify(value) !== JSON.stringify(schema.default)) others.push(path);
    };
    compare(configJsonSchema(), parse(text), '');
    // The factor of a network that has no other than 1 would show nothing.
    expect(others).toEqual(['.networks.oslo.factor']);
  });
});

it('config/demo.yaml loads with nothing at hand', async () => {
  const config = await loadConfig(demo, {});
  expect(config).toMatchObject({ publicUrl: 'http://127.0.0.1:8080', storage: { driver: 'memory' } });
  expect(config.upstreams.map(({ id, issuer }) => `${id} ${issuer}`)).toEqual(['demo http://127.0.0.1:8090']);
  expect(config.clients.map(({ id }) => id)).toEqual(['demo-cli']);
});
