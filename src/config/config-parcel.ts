import { Secret } from '../sealing/secret.ts';

/** A secret on its way between two threads of one process; no text of a YAML file has this name in it. */
const SECRET = '\u0000secret';

/** What a thread can hand to another: structured clones lose a `Secret`, whose value is private to its class. */
export function pack(value: unknown): unknown {
  if (value instanceof Secret) return { [SECRET]: value.reveal() };
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, pack(inner)]));
}

/** The same on the other side, frozen to the last list. */
export function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const parcel = value as Record<string, unknown>;
  const secret = Object.hasOwn(parcel, SECRET) ? parcel[SECRET] : undefined;
  if (typeof secret === 'string') return new Secret(secret);
  // Written over, and not copied: this is on the thread that answers devices.
  for (const name of Object.keys(parcel)) {
    const inner = parcel[name];
    if (typeof inner === 'object' && inner !== null) parcel[name] = unpack(inner);
  }
  return Object.freeze(parcel);
}
