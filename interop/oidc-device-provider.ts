import { createServer } from 'node:http';
import { freePort } from './obtain/free-port.ts';

/** oidc-provider with its own device flow and its own pages, for `gatehouse login`. */
export async function startOidcDeviceProvider(): Promise<{ issuer: string; close(): Promise<void> }> {
  // It has advice for people who run it, whenever something is used for the first time.
  const [{ warn, info }, silent] = [console, () => undefined];
  Object.assign(console, { warn: silent, info: silent });
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const { Provider } = await import('oidc-provider');
  const device = (id: string) => ({
    client_id: id,
    token_endpoint_auth_method: 'none' as const,
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    redirect_uris: [],
    response_types: [],
  });
  const provider = new Provider(issuer, {
    clients: [device('device-cli'), device('other-cli')],
    features: { deviceFlow: { enabled: true } },
    // A code's end is seen too.
    ttl: { DeviceCode: 45 },
  });
  const answer = provider.callback();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(Number(new URL(issuer).port), '127.0.0.1', resolve));
  return {
    issuer,
    close: () =>
      new Promise((resolve) => {
        Object.assign(console, { warn, info });
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
