import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openLogDestination } from '../../../src/telemetry/log-destination.ts';

const open: number[] = [];
afterEach(() => {
  for (const descriptor of open.splice(0)) closeSync(descriptor);
});

function descriptorOf(path: string, flags: string): number {
  const descriptor = openSync(path, flags);
  open.push(descriptor);
  return descriptor;
}

describe('the log', () => {
  it('keeps the order of lines and has all of them after a flush', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-log-'));
    const file = join(folder, 'log');
    const destination = openLogDestination(descriptorOf(file, 'a'));
    const lines = Array.from({ length: 5000 }, (_, index) => `line ${index}\n`);
    for (const line of lines) destination.write(line);
    await destination.flush();
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(destination.linesLost()).toBe(0);
    await rm(folder, { recursive: true });
  });

  it('counts what a full disk refuses, and goes on', async () => {
    const destination = openLogDestination(descriptorOf('/dev/full', 'w'));
    for (let round = 1; round <= 3; round += 1) {
      destination.write('x\n');
      await destination.flush();
      expect(destination.linesLost()).toBe(round);
    }
  });

  it('counts what a closed pipe refuses, and goes on', async () => {
    const reader = spawn('sh', ['-c', 'exec <&-; echo closed; sleep 60'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(reader.stdout, 'data');
    const { fd } = (reader.stdin as unknown as { _handle: { fd: number } })._handle;
    const destination = openLogDestination(fd);
    for (let round = 1; round <= 3; round += 1) {
      destination.write('x\n');
      await destination.flush();
      expect(destination.linesLost()).toBe(round);
    }
    reader.kill();
    await once(reader, 'exit');
  });

  it('keeps room for lines that are reserved, whatever else there is to write', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-log-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const destination = openLogDestination(descriptorOf(pipe, 'r+'));
    const line = `${'x'.repeat(1023)}\n`;
    for (let count = 0; count < 20_000; count += 1) destination.write(line);
    const lost = destination.linesLost();
    expect(lost).toBeGreaterThan(15_000);
    for (let count = 0; count < 1000; count += 1) destination.write(line, true);
    expect(destination.linesLost()).toBe(lost);
    // That room has an end as well.
    for (let count = 0; count < 20_000; count += 1) destination.write(line, true);
    expect(destination.linesLost()).toBeGreaterThan(lost + 15_000);
    await rm(folder, { recursive: true });
  });

  it('neither waits for a reader that has stopped reading nor keeps more than a bounded amount for it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-log-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const destination = openLogDestination(descriptorOf(pipe, 'r+'));
    const line = `${'x'.repeat(1023)}\n`;
    const began = performance.now();
    for (let count = 0; count < 20_000; count += 1) destination.write(line);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(destination.linesLost()).toBeGreaterThan(15_000);
    await destination.flush();
    expect(performance.now() - began).toBeLessThan(2000);

    const lost = destination.linesLost();
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'ignore', 'ignore'] });
    await destination.flush();
    destination.write(line);
    await destination.flush();
    expect(destination.linesLost()).toBe(lost);
    reader.kill();
    await once(reader, 'exit');
    await rm(folder, { recursive: true });
  });
});
