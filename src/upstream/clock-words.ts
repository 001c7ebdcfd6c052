/** A time in a token that does not fit to our clock. */
export interface ClockDifference {
  claim: string;
  atSeconds: number;
  nowSeconds: number;
  toleranceSeconds: number;
}

/** Says by how much, and what mends it: without these words the upstream would be blamed for a clock that runs wrong. */
export function clockWords({ claim, atSeconds, nowSeconds, toleranceSeconds }: ClockDifference): string {
  const apart = Math.round(Math.abs(atSeconds - nowSeconds));
  const direction = atSeconds > nowSeconds ? 'ahead of' : 'behind';
  return (
    `its "${claim}" is ${apart} s ${direction} our clock, and clock_tolerance is ${toleranceSeconds} s: set the clocks ` +
    'of Gatehouse and of the upstream by a time server, or raise clock_tolerance of this upstream'
  );
}
