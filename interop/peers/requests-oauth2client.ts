import { pythonClient } from './python-client.ts';

export const requestsOauth2client = pythonClient({
  name: 'requests-oauth2client',
  requirements: ['requests-oauth2client'],
  program: 'requests_oauth2client_device.py',
});
