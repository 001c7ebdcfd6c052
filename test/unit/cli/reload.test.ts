import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Reloading, reloadOnChange } from '../../../src/cli/start/reload.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const YAML = { public_url: 'http://localhost:8080', upstreams: {}, clients: {} };

describe('the folder of the configuration', () => {
  let folder: string;
  let file: string;
  let reloading: Reloading;
  let reloads: number;
  let counted: (outcome: string) => void;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-reload-'));
    file = join(folder, 'gatehouse.yaml');
    await write('http://localhost:8080/first');
    reloads = 0;
    counted = () => {};
    // As `gatehouse start 2>> gatehouse.log` does beside it; the lines are gathered for a moment.
    const event = () => void setTimeout(() => appendFileSync(join(folder, 'gatehouse.log'), 'a line\n'), 20);
    const broker = {
      needsRestart: () => [],
      reload() {
        reloads += 1;
      },
    };
    const logger = { ...silentLogger, event };
    reloading = await reloadOnChange(await loadConfig(file), broker, {
      logger,
      metrics: { configurationRead: (outcome) => counted(outcome) },
    });
  });
  afterEach(async () => {
    reloading.stop();
    await delay(50);
    await rm(folder, { recursive: true });
  });
  const write = (issuer: string) => {
    const upstreams = { corp: { issuer, client_id: 'gatehouse' } };
    return writeFile(file, JSON.stringify({ ...YAML, upstreams }));
  };

  it('may have our own log in it: a reload that is logged there does not bring the next', async () => {
    await write('http://localhost:8080/second');
    await expect.poll(() => reloads).toBe(1);
    await delay(800);
    expect(reloads).toBe(1);
  });

  it('is read again after a reload that failed in a way nobody thought of', async () => {
    counted = () => {
      throw new Error('unexpected');
    };
    await expect(reloading.now()).rejects.toThrow('unexpected');
    await write('http://localhost:8080/second');
    await expect.poll(() => reloads).toBe(2);
    counted = () => {};
    expect(await reloading.now()).toEqual({ outcome: 'ok' });
    await write('http://localhost:8080/third');
    await expect.poll(() => reloads).toBe(4);
  });

  it('may be written to without a pause: a change comes into force all the same', async () => {
    const busy = setInterval(() => appendFileSync(join(folder, 'other.log'), 'a line\n'), 50);
    await write('http://localhost:8080/second');
    await expect.poll(() => reloads, { timeout: 1000 }).toBe(1);
    process.emit('SIGHUP');
    await expect.poll(() => reloads, { timeout: 1000 }).toBe(2);
    clearInterval(busy);
  });
});
