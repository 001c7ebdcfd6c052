import { UsageError } from '../read-arguments.ts';

/** @throws {UsageError} */
export function readIssuer(value: string, option = '--issuer'): URL {
  const address = URL.canParse(value) ? new URL(value) : undefined;
  if (address === undefined || (address.protocol !== 'https:' && address.protocol !== 'http:')) {
    throw new UsageError(`${option}: found ${value}, expected an address such as https://login.example.com`);
  }
  if (address.username !== '' || address.password !== '') {
    throw new UsageError(`${option}: an address with a user name or password is refused`);
  }
  return address;
}
