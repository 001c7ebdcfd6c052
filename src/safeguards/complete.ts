import type { Safeguards } from '../clients/registered-client.ts';
import { normaliseUserCode, type UserCodeSettings } from '../grants/start/user-code.ts';
import { equalTexts } from '../sealing/sealing.ts';

const SUFFIX_LENGTH = 4;

/**
 * Whether an address gave so much of the code away that the form did not have to be filled in from a device: half of its
 * characters, in their order, wherever they stand. A link to a code that lacks its ends, or some in between, would
 * otherwise spare its victim the rest.
 *
 * @param inAddress what the address had of a code, whatever else stood between
 */
export function isPrefilled(inAddress: string, code: string): boolean {
  return longestCommon(inAddress, code) * 2 >= code.length;
}

/** The length of the longest common subsequence; a common run is one. */
function longestCommon(left: string, right: string): number {
  let before = new Array<number>(right.length + 1).fill(0);
  for (const character of left) {
    const row = [0];
    for (let at = 0; at < right.length; at += 1) {
      const skipped = Math.max(row[at] ?? 0, before[at + 1] ?? 0);
      row.push(right[at] === character ? Math.max(skipped, (before[at] ?? 0) + 1) : skipped);
    }
    before = row;
  }
  return before[right.length] ?? 0;
}

/**
 * How many of the code's last characters the person must type from the device. A code that came with a link proves
 * nothing about a device: only what the page does not show has to be read from one (RFC 8628 §3.3.1).
 * With `off` no link with a code is handed out, so one that came with a link is somebody else's making.
 */
export function charactersToType(mode: Safeguards['complete'], codeLength: number, codePrefilled: boolean): number {
  if (!codePrefilled) return 0;
  switch (mode) {
    case 'compare':
      return 0;
    case 'type_suffix':
      return Math.min(SUFFIX_LENGTH, codeLength);
    case 'type_all':
    case 'off':
      return codeLength;
  }
}

/**
 * Whether what was typed is the code's end; the whole code, as people paste it, has that end too.
 *
 * @param userCode the code without hyphens
 */
export function isTypedFromDevice(
  typed: string,
  userCode: string,
  characters: number,
  settings: UserCodeSettings,
): boolean {
  const code = normaliseUserCode(typed, { ...settings, length: 1 });
  if (code === undefined) return false;
  const isSuffix = equalTexts(code, userCode.slice(userCode.length - characters));
  const isWhole = equalTexts(code, userCode);
  return isSuffix || isWhole;
}
