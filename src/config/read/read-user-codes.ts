import { BASE20, GUESS_BUDGET, NUMERIC, type UserCodeSettings } from '../../grants/start/user-code.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import type { Reading } from './reading.ts';

const FORM =
  /^\{verification_uri\}\?([A-Za-z0-9._~-]+=[A-Za-z0-9._~-]*&)*(user_code|code)=\{user_code\}(&[A-Za-z0-9._~-]+=[A-Za-z0-9._~-]*)*$/;

export function readUserCodes(file: ConfigFile, reading: Reading): UserCodeSettings {
  const { length, group } = file.user_codes;
  const alphabet = readAlphabet(file.user_codes.alphabet, reading);
  const perSource = file.limits.wrong_codes_per_source;
  const chance = perSource / alphabet.length ** length;
  if (perSource === 0) {
    const text = '0 lets one source try codes without end, so the length of a code is no protection';
    reading.warning(['limits', 'wrong_codes_per_source'], text);
  } else if (chance > GUESS_BUDGET) {
    const least = Math.ceil(Math.log(perSource / GUESS_BUDGET) / Math.log(alphabet.length));
    const text =
      `${length} characters out of ${alphabet.length} are too few: ${perSource} wrong tries per source ` +
      `(limits.wrong_codes_per_source) guess one code with a chance of 1 in ${Math.floor(1 / chance)}, ` +
      `expected 1 in ${1 / GUESS_BUDGET} at most, so a length of ${least} or more`;
    reading.problem(['user_codes', 'length'], text, ['user_codes', 'alphabet'], ['limits', 'wrong_codes_per_source']);
  }
  return { alphabet, length, group };
}

function readAlphabet(alphabet: string, reading: Reading): string {
  if (alphabet === 'base20') return BASE20;
  if (alphabet === 'numeric') return NUMERIC;
  const path = ['user_codes', 'alphabet'];
  const stray = /[^A-Z0-9]/.exec(alphabet)?.[0];
  const repeated = /(.).*\1/.exec(alphabet)?.[1];
  if (stray !== undefined) {
    const text = `${JSON.stringify(stray)} is not an upper-case ASCII letter or digit, expected only those, or base20 or numeric`;
    reading.problem(path, text);
  } else if (repeated !== undefined) {
    reading.problem(path, `"${repeated}" is there twice, expected each character once`);
  } else if (alphabet.length < 10) {
    reading.problem(path, `found ${alphabet.length} characters, expected at least 10`);
  } else return alphabet;
  return BASE20;
}

export function readVerificationUriComplete(file: ConfigFile, reading: Reading): string {
  const form = file.user_codes.verification_uri_complete;
  if (!FORM.test(form)) {
    const text =
      'expected {verification_uri} and then a query with {user_code} once, as user_code or code, ' +
      'such as "{verification_uri}?user_code={user_code}"';
    reading.problem(['user_codes', 'verification_uri_complete'], `found ${JSON.stringify(form)}, ${text}`);
  }
  return form;
}
