import type { Express } from 'express';
import request from 'supertest';

/** A person's browser as far as the pages can tell: cookies, forms and links, without script. */
export interface VisitedPage {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** Path and query, as the browser's address bar would have it. */
  address: string;
  /** The words a person reads. */
  words: string;
  heading: string;
  forms: VisitedForm[];
  links: { href: string; text: string }[];
  /** Where it redirects to, if it does. */
  location: string | undefined;
}

export interface VisitedForm {
  action: string;
  fields: Record<string, string>;
  buttons: { name: string; value: string; text: string }[];
}

export class PageVisitor {
  readonly cookies = new Map<string, string>();
  /** Every `Set-Cookie` that came. */
  readonly setCookies: string[] = [];
  /** Sent with each request. */
  headers: Record<string, string> = {};
  readonly #app: Express;
  readonly #origin: string;

  constructor(app: Express, publicUrl: string) {
    this.#app = app;
    this.#origin = new URL(publicUrl).origin;
  }

  async get(address: string, headers: Record<string, string> = {}): Promise<VisitedPage> {
    const sent = request(this.#app)
      .get(address)
      .set({ ...this.headers, ...this.#cookieHeader(), ...headers });
    return this.#read(await sent, address);
  }

  async head(address: string): Promise<VisitedPage> {
    return this.#read(await request(this.#app).head(address).set(this.#cookieHeader()), address);
  }

  async ask(method: string, address: string): Promise<VisitedPage> {
    const verb = method.toLowerCase() as 'get';
    return this.#read(await request(this.#app)[verb](address).set(this.#cookieHeader()), address);
  }

  async post(
    address: string,
    fields: Record<string, string>,
    headers: Record<string, string | undefined> = {},
  ): Promise<VisitedPage> {
    return this.postRaw(address, new URLSearchParams(fields).toString(), headers);
  }

  async postRaw(address: string, body: string, headers: Record<string, string | undefined> = {}): Promise<VisitedPage> {
    const all = { origin: this.#origin, ...this.headers, ...this.#cookieHeader(), ...headers };
    const sent = request(this.#app)
      .post(address)
      .type('form')
      .set(Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)))
      .send(body);
    return this.#read(await sent, address);
  }

  /** Sends the first form that has a button or field like this, with its hidden fields. */
  async submit(page: VisitedPage, fields: Record<string, string>): Promise<VisitedPage> {
    const [name = '', value = ''] = Object.entries(fields)[0] ?? [];
    const form = page.forms.find(
      ({ buttons, fields: known }) =>
        buttons.some((button) => button.name === name && button.value === value) || name in known,
    );
    if (form === undefined) throw new Error(`no form for ${name}=${value} on ${page.heading}`);
    return this.follow(await this.post(form.action, { ...form.fields, ...fields }));
  }

  /** Follows redirects as long as they stay on this origin. */
  async follow(page: VisitedPage): Promise<VisitedPage> {
    let at = page;
    for (let hops = 0; at.location?.startsWith('/') === true && hops < 5; hops += 1) at = await this.get(at.location);
    return at;
  }

  async open(address: string): Promise<VisitedPage> {
    return this.follow(await this.get(address));
  }

  #cookieHeader(): Record<string, string> {
    if (this.cookies.size === 0) return {};
    return { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
  }

  #read(response: request.Response, address: string): VisitedPage {
    for (const line of ([] as string[]).concat(response.headers['set-cookie'] ?? [])) {
      this.setCookies.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
    const text = response.text ?? '';
    return {
      status: response.status,
      headers: response.headers as Record<string, string>,
      text,
      address,
      words: plain(text.replace(/<(style|head)[\s\S]*?<\/\1>/g, ' ')),
      heading: plain(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(text)?.[1] ?? ''),
      forms: formsOf(text),
      links: [...text.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g)].map(([, href = '', inner = '']) => ({
        href: unescaped(href),
        text: plain(inner),
      })),
      location: response.headers['location'] as string | undefined,
    };
  }
}

function formsOf(text: string): VisitedForm[] {
  const byId = new Map<string, VisitedForm>();
  const forms = [...text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag = '', inner = '']) => {
    const form: VisitedForm = { action: attribute(tag, 'action') ?? '', fields: {}, buttons: [] };
    for (const [, input = ''] of inner.matchAll(/<input([^>]*)>/g)) {
      form.fields[attribute(input, 'name') ?? ''] = attribute(input, 'value') ?? '';
    }
    const id = attribute(tag, 'id');
    if (id !== undefined) byId.set(id, form);
    return { form, inner };
  });
  for (const { form, inner } of forms) {
    for (const [, tag = '', label = ''] of inner.matchAll(/<button([^>]*)>([\s\S]*?)<\/button>/g)) {
      const owner = byId.get(attribute(tag, 'form') ?? '') ?? form;
      owner.buttons.push({
        name: attribute(tag, 'name') ?? '',
        value: attribute(tag, 'value') ?? '',
        text: plain(label),
      });
    }
  }
  return forms.map(({ form }) => form);
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
}

function plain(html: string): string {
  return unescaped(html.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

function unescaped(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code?: string, name?: string) =>
    code === undefined ? (named[name ?? ''] ?? whole) : String.fromCharCode(Number(code)),
  );
}
