import { told } from '../answer.ts';
import { type Check, cannotBeSeen, fails, holds } from '../check.ts';

export const startAnswer: Check = {
  id: 'start.answer',
  title: 'codes come with 200, as JSON, with all that a device needs',
  requirement: 'R9, R14, RFC 8628 §3.2',
  level: 'must',
  async run(server) {
    const answer = await server.askForCodes();
    const { status, json = {}, isJsonType } = answer;
    if (status !== 200) return fails(told(answer));
    const texts = ['device_code', 'user_code', 'verification_uri'];
    const lacking = texts.filter((name) => typeof json[name] !== 'string' || json[name] === '');
    const seconds = ['expires_in', ...(json['interval'] === undefined ? [] : ['interval'])];
    const odd = seconds.filter((name) => typeof json[name] !== 'number' || !((json[name] as number) > 0));
    const words = [
      ...(isJsonType ? [] : [`its type is ${answer.headers.get('content-type') ?? 'not there'}`]),
      ...lacking.map((name) => `there is no ${name}`),
      ...odd.map((name) => `${name} is ${JSON.stringify(json[name])}`),
    ];
    return words.length === 0 ? holds() : fails(words.join(', '));
  },
};

export const startNoStore: Check = {
  id: 'start.no-store',
  title: 'no cache keeps codes',
  requirement: 'R9, RFC 8628 §3.2 (in its example alone)',
  level: 'should',
  async run(server) {
    const answer = await server.askForCodes();
    if (answer.status !== 200) return cannotBeSeen(`no codes came: ${told(answer)}`);
    const control = answer.headers.get('cache-control') ?? '';
    return /\bno-store\b/i.test(control)
      ? holds()
      : fails(`Cache-Control is ${control === '' ? 'not there' : control}`);
  },
};

export const startNoCodeInUri: Check = {
  id: 'start.no-code-in-uri',
  title: 'the address that is typed has no code in it',
  requirement: 'R12, RFC 8628 §3.3 (NOT RECOMMENDED)',
  level: 'should',
  async run(server) {
    const { verificationUri, userCode } = await server.start();
    return verificationUri.includes(userCode) ? fails(verificationUri) : holds();
  },
};
