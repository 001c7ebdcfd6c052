import { isJsonObject } from '../../oauth/json-object.ts';
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Finds a claim by its name or by a dotted path into nested claims (`realm_access.roles`). A claim whose name itself
 * has dots in it (`https://example.com/groups`) is found too: at every level the longest name wins. `null` and `""` are
 * what some upstreams write in place of nothing.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return told(claims[path]);
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (isClaims(inner)) {
      const found = claimAt(inner, path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function isClaims(value: unknown): value is Claims {
  return isJsonObject(value);
}

function told(value: unknown): unknown {
  return value === null || value === '' ? undefined : value;
}
