import fc from 'fast-check';

/** What every object has without anybody having put it there, or what the language itself asks objects for. */
export const INHERITED_NAMES: readonly string[] = [
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
  'length',
  'toJSON',
  'then',
];

export const inheritedName = fc.constantFrom(...INHERITED_NAMES);

/** Any text, and now and then one of these names: no property test of a name or a value goes without them. */
export function anyText(constraints: fc.StringConstraints = {}): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = constraints;
  const fitting = inheritedName.filter((name) => name.length >= minLength && name.length <= maxLength);
  return fc.oneof({ weight: 4, arbitrary: fc.string(constraints) }, fitting);
}

/** Any JSON value, whose members may have these names too. */
export function anyJson({ maxDepth = 3 }: { maxDepth?: number } = {}): fc.Arbitrary<unknown> {
  const { value } = fc.letrec((tie) => ({
    leaf: fc.oneof(anyText(), fc.boolean(), fc.constant(null), fc.integer(), fc.double({ noNaN: true })),
    value: fc.oneof(
      { maxDepth, depthIdentifier: 'json' },
      tie('leaf'),
      fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }),
      fc.dictionary(anyText({ maxLength: 12 }), tie('value'), { maxKeys: 4, depthIdentifier: 'json' }),
    ),
  }));
  // As it comes over a wire: no negative zero, no infinity, no prototype of its own.
  return value.map((any) => JSON.parse(JSON.stringify(any)) as unknown);
}
