import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type LoadResult, runLoad } from './load.ts';
import type { Prepared } from './subjects/subject.ts';

/** One subject under one load. */
export interface Measurement extends LoadResult {
  name: string;
  cpuMicrosecondsPerRequest: number;
  rssBytes: number;
}

export interface Subject {
  name: string;
  script: 'bare' | 'gatehouse' | 'oidc-provider' | 'refresh-floor';
  arguments: readonly string[];
}

export interface Round {
  seconds: number;
  connections: number;
  requestsPerSecond?: number;
}

interface Usage {
  cpuMicroseconds: number;
  rssBytes: number;
}

const WARM_UP_SECONDS = 2;

/** Starts a subject, warms it up, loads it, and reads what it used of the processor meanwhile. */
export async function measure(subject: Subject, round: Round): Promise<Measurement> {
  const running = await startSubject(subject);
  try {
    await runLoad({ ...running.prepared, connections: round.connections, seconds: WARM_UP_SECONDS });
    const before = await running.usage();
    const result = await runLoad({ ...running.prepared, ...round });
    const after = await running.usage();
    const used = after.cpuMicroseconds - before.cpuMicroseconds;
    return {
      name: subject.name,
      ...result,
      cpuMicrosecondsPerRequest: used / result.requests,
      rssBytes: after.rssBytes,
    };
  } finally {
    await running.stop();
  }
}

export async function startSubject({ script, arguments: args }: Subject) {
  const file = fileURLToPath(new URL(`subjects/${script}.js`, import.meta.url));
  const child = fork(file, [...args], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const prepared = (await answerOf(child)) as Prepared & { port: number };
  const asked = (what: string) => {
    const answer = answerOf(child);
    child.send(what);
    return answer;
  };
  return {
    prepared,
    usage: () => asked('usage') as Promise<Usage>,
    /** What is alive, after a great collection: not to be asked for while something is measured. */
    heapBytes: async () => ((await asked('heap')) as { heapBytes: number }).heapBytes,
    async stop(): Promise<void> {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the subject ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}
