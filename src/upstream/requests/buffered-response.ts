/** As undici hands them on: names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

const utf8 = new TextDecoder();

/**
 * The part of a `Response` that is read here and by openid-client, over a body that has been read. A real one wraps the
 * body in a stream, which costs more than all else that is done with an answer.
 */
export class BufferedResponse {
  readonly status: number;
  readonly #headers: AnswerHeaders;
  readonly #body: string | Uint8Array | Readonly<Record<string, unknown>>;

  /** @param body as bytes or text, or the JSON object that stood in it */
  constructor(
    body: string | Uint8Array | Readonly<Record<string, unknown>>,
    { status, headers }: { status: number; headers: AnswerHeaders },
  ) {
    this.status = status;
    this.#headers = headers;
    this.#body = body;
  }

  /** By this word openid-client knows what it may read as a `Response`. */
  get [Symbol.toStringTag](): string {
    return 'Response';
  }

  /** What was read once can be read again, so a copy is the same one. */
  get bodyUsed(): boolean {
    return false;
  }

  clone(): this {
    return this;
  }

  get headers(): { get(name: string): string | null } {
    return {
      get: (name) => {
        const value = this.#headers[name.toLowerCase()];
        return (Array.isArray(value) ? value.join(', ') : value) ?? null;
      },
    };
  }

  /** The same answer with other headers, or with a JSON object in place of its body. */
  with(changed: {
    body?: Readonly<Record<string, unknown>>;
    status?: number;
    headers?: AnswerHeaders;
  }): BufferedResponse {
    const { body = this.#body, status = this.status, headers } = changed;
    return new BufferedResponse(body, { status, headers: { ...this.#headers, ...headers } });
  }

  async text(): Promise<string> {
    if (typeof this.#body === 'string') return this.#body;
    return this.#body instanceof Uint8Array ? utf8.decode(this.#body) : JSON.stringify(this.#body);
  }

  async json(): Promise<unknown> {
    const body = this.#body;
    return typeof body === 'string' || body instanceof Uint8Array ? JSON.parse(await this.text()) : { ...body };
  }
}
