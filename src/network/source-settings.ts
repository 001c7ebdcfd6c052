/** How the address that a request came from is found. */
export interface SourceSettings {
  /** Peers whose forwarding header is believed; empty: nobody's. */
  trustedProxies: readonly string[];
  /** Exactly this one is read, the other never: a proxy that sets one may pass a visitor's own other one through. */
  forwardedHeader: 'x-forwarded-for' | 'forwarded';
}
