import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { DEVICE_CODE_GRANT } from './test-device.ts';

/** What became of a device that polled until it was through. */
export interface DeviceStory {
  tokens: string | undefined;
  polls: number;
  /** Anything but a pending poll and the tokens: a dropped connection, a 5xx, a page, a lost grant. */
  troubles: string[];
}

interface Said {
  status: number;
  text: string;
}

/**
 * A device as the strict ones in the field are: one keep-alive connection, no second try for anything. `twice` sends
 * each poll in the two styles of golang.org/x/oauth2, one right after the other.
 */
export class KeepAliveDevice {
  readonly #origin: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 90_000 });
  readonly #isTwice: boolean;

  constructor(origin: string, style: 'once' | 'twice' = 'once') {
    this.#origin = origin;
    this.#isTwice = style === 'twice';
  }

  async start(): Promise<{ deviceCode: string; userCode: string }> {
    const { status, text } = await this.#post('/device_authorization', { client_id: 'build-cli' });
    if (status !== 200) throw new Error(`start: ${status} ${text}`);
    const body = JSON.parse(text) as { device_code: string; user_code: string };
    return { deviceCode: body.device_code, userCode: body.user_code };
  }

  async poll(deviceCode: string, intervalMs: number, until: AbortSignal): Promise<DeviceStory> {
    const story: DeviceStory = { tokens: undefined, polls: 0, troubles: [] };
    while (!until.aborted && story.troubles.length === 0) {
      await delay(intervalMs);
      for (const said of await this.#pollOnce(deviceCode)) {
        story.polls += 1;
        const body = said.text.startsWith('{') ? (JSON.parse(said.text) as Record<string, string>) : {};
        if (said.status === 200) story.tokens = body['access_token'];
        // The second of a pair comes to a code that the first has redeemed.
        else if (story.tokens !== undefined && body['error'] === 'invalid_grant') continue;
        else if (body['error'] === 'slow_down') await delay(5000);
        else if (body['error'] !== 'authorization_pending') {
          story.troubles.push(`${said.status} ${said.text.slice(0, 200)}`);
        }
      }
      if (story.tokens !== undefined) break;
    }
    this.#agent.destroy();
    return story;
  }

  async #pollOnce(deviceCode: string): Promise<Said[]> {
    const form = { grant_type: DEVICE_CODE_GRANT, device_code: deviceCode };
    const said: Said[] = [];
    const basic = `Basic ${Buffer.from('build-cli:').toString('base64')}`;
    if (this.#isTwice) said.push(await this.#post('/token', form, { authorization: basic }));
    if (said[0]?.status !== 200) said.push(await this.#post('/token', { ...form, client_id: 'build-cli' }));
    return said;
  }

  #post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Said> {
    const body = new URLSearchParams(form).toString();
    const type = 'application/x-www-form-urlencoded';
    return new Promise((resolve) => {
      const sent = request(
        this.#origin + path,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { ...headers, 'content-type': type, 'content-length': body.length },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', (error) => resolve({ status: 0, text: error.message }));
        },
      );
      sent.on('error', (error) => resolve({ status: 0, text: `connection: ${error.message}` }));
      sent.end(body);
    });
  }
}
