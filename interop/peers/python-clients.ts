import { pythonClient } from './python-client.ts';

export const requestsOauth2client = pythonClient({
  name: 'requests-oauth2client',
  requirements: ['requests-oauth2client'],
  program: 'requests_oauth2client_device.py',
  methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
});

export const requestsOauthlib = pythonClient({
  name: 'requests-oauthlib',
  requirements: ['requests-oauthlib', 'oauthlib>=4'],
  program: 'requests_oauthlib_device.py',
  methods: ['client_secret_basic', 'client_secret_post'],
  environment: { OAUTHLIB_INSECURE_TRANSPORT: '1' },
});

export const msal = pythonClient({
  name: 'msal',
  requirements: ['msal'],
  program: 'msal_device.py',
  isHttps: true,
});

export const authlib = pythonClient({
  name: 'authlib',
  requirements: ['authlib', 'requests'],
  program: 'authlib_device.py',
  // Its assertions live for an hour; given claims that shorten them, it says the same jti again.
  methods: ['client_secret_basic', 'client_secret_post'],
});

export const huggingface = pythonClient({
  name: 'huggingface_hub',
  requirements: ['huggingface_hub'],
  program: 'huggingface_device.py',
  yaml: { compatibility: { paths: { '/oauth/device': 'device_authorization', '/oauth/token': 'token' } } },
});

export const azureIdentity = pythonClient({
  name: 'azure-identity',
  requirements: ['azure-identity'],
  program: 'azure_device.py',
  // It refuses an ID token without this claim.
  yaml: { clients: { tv: { name: 'TV', interval: '1s', claims: ['preferred_username'] } } },
  isHttps: true,
  below: '/corp/v2.0',
  // It refreshes by itself, when it thinks that it must.
  without: ['refresh'],
});
