type FetchLike = (url: string | URL, init?: RequestInit) => Promise<Response>;

const MAX_STEPS = 12;

/**
 * Plays a person in a browser at the embedded upstream: follows its redirects with its cookies, chooses the user (or
 * says no) on its page, and ends with the address to which it sends the browser back.
 *
 * @param url where the upstream begins, as Gatehouse gave it
 */
export async function signInAtEmbeddedUpstream(
  fetchLike: FetchLike,
  url: string | URL,
  user: string,
  decision: 'approve' | 'deny' = 'approve',
): Promise<URL> {
  const { origin } = new URL(url);
  const cookies = new Map<string, string>();
  const visit = async (address: URL, body?: URLSearchParams): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetchLike(address, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { accept: 'text/html', ...(cookie !== '' && { cookie }) },
      redirect: 'manual',
      ...(body !== undefined && { body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return response;
  };

  let at = new URL(url);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const response = await visit(at);
    const next = nextAddress(response, at) ?? nextAddress(await visit(at, answer(user, decision)), at);
    if (next === undefined) throw new Error(`the upstream shows a page that is not its sign-in page: ${at.href}`);
    if (next.origin !== origin) return next;
    at = next;
  }
  throw new Error(`the upstream does not come to an end: ${at.href}`);
}

function answer(user: string, decision: 'approve' | 'deny'): URLSearchParams {
  return new URLSearchParams(decision === 'deny' ? { decision } : { user });
}

function nextAddress(response: Response, at: URL): URL | undefined {
  const location = response.headers.get('location');
  return location === null ? undefined : new URL(location, at);
}
