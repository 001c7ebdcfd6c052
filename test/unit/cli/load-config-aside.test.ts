import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfigAside } from '../../../src/cli/start/load-config-aside.ts';
import type { Config } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { isSameSettings } from '../../../src/sealing/same-settings.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { ecPrivate, jwks, sealingKey } from '../config/keys.ts';
import { folderWith, leastFile } from '../config/written.ts';

const MANY = Array.from(
  { length: 250 },
  (_, n) => `  c${n}: { name: Client ${n}, client_secret: { file: secret }, signing_alg: ES256 }`,
);
const files = {
  'gatehouse.yaml': leastFile({
    client: 'signing_alg: ES256',
    upstream: 'client_secret: { file: secret }',
    top: `keys: { sealing: [{ file: seal }], signing: { file: sign } }\ninclude: [clients.d/*.yaml]\noperations: {}`,
  }),
  'clients.d/many.yaml': `clients:\n${MANY.join('\n')}`,
  'clients.d/secret': 'wFhPJ3yqvZ0bnX5sQ8rT',
  secret: 'wFhPJ3yqvZ0bnX5sQ8rT',
  seal: sealingKey(),
  sign: jwks(ecPrivate),
};

/** The other process reads TypeScript as the broker's own would. */
beforeAll(() => void process.execArgv.push('--import', 'tsx'));
afterAll(() => void process.execArgv.splice(-2));

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  value instanceof Secret ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen));

describe('a configuration that is read by another process', { timeout: 60_000 }, () => {
  it('is the same as one that is read here: secrets, warnings, files, and frozen', async () => {
    const file = join(folderWith(files), 'gatehouse.yaml');
    const here = await loadConfig(file);
    const aside = await loadConfigAside(file, 0);
    expect(aside.clients).toHaveLength(251);
    expect(aside.clients[250]?.clientSecret?.reveal()).toBe(files.secret);
    expect(isSameSettings(withoutUndefined(aside), withoutUndefined(here))).toBe(true);
    expect(isFrozen(aside)).toBe(true);
  });

  it('is refused with the same problems', async () => {
    const file = join(folderWith({ ...files, secret: 'a\nb' }), 'gatehouse.yaml');
    const problemsOf = async (loaded: Promise<Config>) => {
      const error: unknown = await loaded.catch((each: unknown) => each);
      expect(error).toBeInstanceOf(ConfigError);
      return (error as ConfigError).problems;
    };
    expect(await problemsOf(loadConfigAside(file, 0))).toEqual(await problemsOf(loadConfig(file)));
  });

  it('does not take this one along when it ends', async () => {
    const file = join(folderWith(files), 'gatehouse.yaml');
    process.execArgv.push('--import', 'data:text/javascript,process.exit(3)');
    await expect(loadConfigAside(file, 0)).rejects.toThrow('the process that reads it ended (3)');
    process.execArgv.splice(-2);
  });
});

/** A key that is there without a value is one that is not there, to all who read it. */
function withoutUndefined(config: Config): unknown {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}
