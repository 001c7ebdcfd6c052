import { complaint, usageComplaint } from '../complain.ts';
import { StoppedError } from '../init/asker.ts';
import { ProfileFileError } from '../profiles/state-folder.ts';
import { UsageError } from '../read-arguments.ts';
import { printable } from '../terminal/printable.ts';
import { UnexpectedAnswerError, UnsafeAddressError } from './safe-fetch.ts';

/** What keeps a sign-in from having a target: what a person reads, and how the command ends. */
export interface TargetFault {
  text: string;
  end: 'error' | 'wrongOptions' | 'interrupted';
}

/** @returns `undefined` for a fault of Gatehouse itself */
export function targetFault(error: unknown, isAborted: boolean): TargetFault | undefined {
  if (error instanceof StoppedError || isAborted) {
    return { text: 'Stopped. Nothing was connected.\n', end: 'interrupted' };
  }
  if (error instanceof UsageError) {
    return { text: usageComplaint('login', printable(error.message)), end: 'wrongOptions' };
  }
  const isTold = [ProfileFileError, UnexpectedAnswerError, UnsafeAddressError].some((kind) => error instanceof kind);
  return isTold ? { text: complaint('login', printable((error as Error).message)), end: 'error' } : undefined;
}
