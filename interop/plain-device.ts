import { setTimeout as delay } from 'node:timers/promises';
import type { ShownCode, TokenAnswer } from './device-program.ts';

/** A device without a library, for scenarios about what is behind Gatehouse. */
export interface PlainDevice {
  start(): Promise<ShownCode & { device_code: string }>;
  /** The first answer that is not `authorization_pending` or `slow_down`. */
  poll(deviceCode: string): Promise<DeviceAnswer>;
  pollOnce(deviceCode: string): Promise<DeviceAnswer>;
  refresh(token: string): Promise<DeviceAnswer>;
}

export interface DeviceAnswer {
  status: number;
  body: TokenAnswer & { error?: string };
}

const PENDING = ['authorization_pending', 'slow_down'];
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

export function plainDevice(publicUrl: string, clientId: string): PlainDevice {
  const post = async (path: string, form: Record<string, string>): Promise<DeviceAnswer> => {
    const body = new URLSearchParams({ client_id: clientId, ...form });
    const response = await fetch(publicUrl + path, { method: 'POST', body });
    return { status: response.status, body: (await response.json()) as DeviceAnswer['body'] };
  };
  const pollOnce = (code: string) => post('/token', { grant_type: GRANT_TYPE, device_code: code });
  return {
    start: async () => {
      const { status, body } = await post('/device_authorization', {});
      if (status !== 200) throw new Error(`the start was answered with ${status} ${JSON.stringify(body)}`);
      return body as unknown as ShownCode & { device_code: string };
    },
    pollOnce,
    async poll(code) {
      for (;;) {
        const answer = await pollOnce(code);
        if (!PENDING.includes(answer.body.error ?? '')) return answer;
        await delay(1100);
      }
    },
    refresh: (token) => post('/token', { grant_type: 'refresh_token', refresh_token: token }),
  };
}
