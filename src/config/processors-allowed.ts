import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** As many as the schema of `workers` takes. */
const MOST = 256;

/** Where a container finds its quota: microseconds of processor time, and the period that they are for. */
export interface CpuQuotaFiles {
  both: string;
  quota: string;
  period: string;
}

const OF_THE_SYSTEM: CpuQuotaFiles = {
  both: '/sys/fs/cgroup/cpu.max',
  quota: '/sys/fs/cgroup/cpu/cpu.cfs_quota_us',
  period: '/sys/fs/cgroup/cpu/cpu.cfs_period_us',
};

/**
 * How many processes can run at once. A container may have the time of two processors on a machine of 64: Node counts
 * only those that it may run on, and 64 processes that share the time of two all stand still together.
 */
export function processorsAllowed(files: CpuQuotaFiles = OF_THE_SYSTEM): number {
  const [quota = '', period = ''] = textOf(files.both)?.split(/\s+/) ?? [textOf(files.quota), textOf(files.period)];
  const share = Number(quota) / Number(period);
  // `max` or -1 where there is no bound.
  const allowed = Number.isFinite(share) && share > 0 ? Math.ceil(share) : MOST;
  return Math.min(allowed, availableParallelism(), MOST);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
