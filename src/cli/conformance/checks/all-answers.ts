import { type Answer, errorOf, told } from '../answer.ts';
import { type Check, fails, holds } from '../check.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

/** What came back from the two endpoints that devices post forms to. */
function postedIn({ answers }: ServerUnderTest): Answer[] {
  return answers.filter(({ asked }) => /^POST \S+$/.test(asked));
}

function judged(wrong: readonly Answer[], all: readonly Answer[], words: (answer: Answer) => string) {
  const [first] = wrong;
  if (first === undefined) return holds(`${all.length} answers`);
  return fails(`${wrong.length} of ${all.length} answers, such as ${first.asked}: ${words(first)}`);
}

export const errorsFormat: Check = {
  id: 'errors.format',
  title: 'a refusal is JSON with an error',
  requirement: 'R15, RFC 8628 §3.2 and §3.5 by RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const refusals = postedIn(server).filter(({ status }) => status === 400 || status === 401);
    const wrong = refusals.filter((answer) => !answer.isJsonType || errorOf(answer) === undefined);
    return judged(
      wrong,
      refusals,
      (answer) => `${told(answer)}, ${answer.headers.get('content-type') ?? 'without a type'}`,
    );
  },
};

export const errorsCharacters: Check = {
  id: 'errors.characters',
  title: 'errors and their descriptions keep to the characters that they may have',
  requirement: 'R15, RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const all = postedIn(server).filter((answer) => errorOf(answer) !== undefined);
    const wrong = all.filter(({ json }) => !isPlain(json?.['error']) || !isPlain(json?.['error_description'] ?? ''));
    return judged(wrong, all, ({ json }) => JSON.stringify(json?.['error_description'] ?? json?.['error']));
  },
};

function isPlain(value: unknown): boolean {
  return typeof value === 'string' && /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value);
}

export const errorsNotOurs: Check = {
  id: 'errors.no-5xx',
  title: 'no request of a run is answered with 5xx',
  requirement: 'RFC 9110 §15.6',
  level: 'should',
  async run({ answers }) {
    return judged(
      answers.filter(({ status }) => status >= 500),
      answers,
      told,
    );
  },
};
