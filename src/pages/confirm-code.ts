import type { RegisteredClient } from '../clients/registered-client.ts';
import { formatUserCode, normaliseUserCode, type UserCodeSettings } from '../grants/user-code.ts';
import type { SignInFacts } from './sign-in-facts.ts';

/** What the person must type as the device shows it, where the code came prefilled: a link alone shall not suffice. */
export interface ConfirmCode {
  expected: string;
  length: number;
  isWhole: boolean;
}

const SUFFIX_LENGTH = 4;

export function confirmCodeOf(
  client: RegisteredClient,
  { userCode, codePrefilled }: SignInFacts,
): ConfirmCode | undefined {
  const { complete } = client.safeguards;
  if (!codePrefilled || complete === 'off' || complete === 'compare') return undefined;
  const length = complete === 'type_all' ? userCode.length : Math.min(SUFFIX_LENGTH, userCode.length);
  return { expected: userCode.slice(-length), length, isWhole: length === userCode.length };
}

/** The code in groups, with dots for what the person types. */
export function shownCode(userCode: string, asked: ConfirmCode | undefined, { group }: UserCodeSettings): string {
  const hidden = asked?.length ?? 0;
  return formatUserCode(userCode.slice(0, userCode.length - hidden) + '•'.repeat(hidden), group);
}

/** Paste is allowed, and so is the whole code where its end is asked for. */
export function isConfirmed(asked: ConfirmCode, typed: string | undefined, settings: UserCodeSettings): boolean {
  if (typed === undefined) return false;
  return normaliseUserCode(typed, { ...settings, length: asked.length }) === asked.expected;
}
