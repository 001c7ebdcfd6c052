import type { Gatehouse } from './gatehouse.ts';
import { check } from './peer.ts';
import { approve, type Visit } from './person.ts';
import { type DeviceAnswer, type PlainDevice, plainDevice } from './plain-device.ts';
import type { UpstreamUnderTest } from './upstream-under-test.ts';

export interface SignedInDevice {
  device: PlainDevice;
  tokens: DeviceAnswer['body'];
}

/** Who signs in at this upstream. */
export function personAt({ user, password }: UpstreamUnderTest): Pick<Visit, 'user' | 'password'> {
  return { user, ...(password !== undefined && { password }) };
}

/** A device that asks, a person who signs in at the upstream and approves, and the device's tokens. */
export async function signInAt(
  upstream: UpstreamUnderTest,
  { publicUrl }: Gatehouse,
  clientId = 'tv',
  more: Pick<Visit, 'browser' | 'onSignIn'> = {},
): Promise<SignedInDevice> {
  const device = plainDevice(publicUrl, clientId);
  const started = await device.start();
  const visit = { verificationUri: started.verification_uri, userCode: started.user_code };
  await approve({ ...personAt(upstream), ...more, ...visit });
  const answer = await device.poll(started.device_code);
  expectTokens('the poll', answer);
  return { device, tokens: answer.body };
}

export function refreshed({ device, tokens }: SignedInDevice): Promise<DeviceAnswer> {
  return device.refresh(tokens.refresh_token ?? '');
}

export function expectTokens(what: string, answer: DeviceAnswer): void {
  check(answer.status === 200, `${what} was answered with ${answerInWords(answer)}`);
}

export function expectRefused(answer: DeviceAnswer): void {
  check(answer.body.error === 'invalid_grant', `the refresh was answered with ${answerInWords(answer)}`);
}

export function answerInWords({ status, body }: DeviceAnswer): string {
  return `${status} ${body.error ?? 'tokens'}`;
}
