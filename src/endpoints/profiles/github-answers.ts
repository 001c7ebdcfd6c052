import type { DeviceReply, DeviceRequest } from '../http/endpoint.ts';

/**
 * GitHub answers in a form unless JSON is asked for, and gh reads what the content type says. The status stays that of
 * RFC 6749 §5.2: who knows GitHub's paths looks at `error`.
 */
export function formUnlessJson({ headers }: DeviceRequest, reply: DeviceReply): DeviceReply {
  const { body } = reply;
  if (body === undefined || /[/+]json\b/i.test(headers.accept ?? '')) return reply;
  const members = (typeof body === 'string' ? JSON.parse(body) : body) as Record<string, unknown>;
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return { ...reply, body: form.toString(), contentType: 'application/x-www-form-urlencoded; charset=utf-8' };
}
