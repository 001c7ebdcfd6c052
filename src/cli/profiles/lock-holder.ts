import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which process holds a lock. */
export interface LockHolder {
  pid: number;
  /** Where that number means something: the same machine since the same start, the same container. */
  place: string;
  /** When the process began, where the system says so: numbers are given again. */
  begun?: string | undefined;
}

export function holderHere(): LockHolder {
  return { pid: process.pid, place: place(), begun: begunOf(process.pid) };
}

/** Only where it is certain: of another machine's process nothing is known, nor of a text that cannot be read. */
export function isGone(text: string): boolean {
  const holder = parsed(text);
  if (holder === undefined || holder.place !== place()) return false;
  return !isAlive(holder.pid) || (holder.begun !== undefined && begunOf(holder.pid) !== holder.begun);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function place(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** The 22nd field of proc(5)'s stat; the second one, a name in brackets, may have blanks and brackets. */
function begunOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Killed, and not yet buried by its parent.
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function parsed(text: string): LockHolder | undefined {
  try {
    const { pid, place: where, begun } = JSON.parse(text) as Partial<LockHolder>;
    if (typeof pid !== 'number' || typeof where !== 'string' || pid <= 0) return undefined;
    return { pid, place: where, begun };
  } catch {
    return undefined;
  }
}
