import type { DemoBroker } from './demo-broker.ts';

export interface TokenResponse {
  refresh_token?: string;
  expires_in?: number;
  error?: string;
}

/** The device after its sign-in: it keeps its refresh token, and uses it. */
export class DemoDevice {
  readonly #broker: Pick<DemoBroker, 'publicUrl' | 'client'>;
  #refreshToken: string;
  hasEnded = false;

  constructor(broker: Pick<DemoBroker, 'publicUrl' | 'client'>, { refresh_token: refreshToken = '' }: TokenResponse) {
    this.#broker = broker;
    this.#refreshToken = refreshToken;
  }

  /** Asks for new tokens, and says in words what came of it. */
  async refresh(): Promise<string> {
    const { publicUrl, client } = this.#broker;
    const form = { grant_type: 'refresh_token', refresh_token: this.#refreshToken, client_id: client.id };
    const answer = await fetch(`${publicUrl}/token`, { method: 'POST', body: new URLSearchParams(form) });
    const { refresh_token: next, expires_in: seconds, error } = (await answer.json()) as TokenResponse;
    if (next !== undefined) {
      this.#refreshToken = next;
      return `The device refreshed: a new access token for ${seconds} s, and a new refresh token in place of the old one.`;
    }
    this.hasEnded = error === 'invalid_grant';
    return `The device’s refresh was refused: ${error}.${this.hasEnded ? ' Its session has ended.' : ''}`;
  }
}
