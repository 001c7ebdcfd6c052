/** 0 switches one off. */
export interface LimitSettings {
  /** Per 10 minutes; a source is one IPv4 address or one IPv6 /64, and a /24 or /48 gets ten times that. */
  wrongCodesPerSource: number;
  wrongCodesTotal: number;
  wrongCodesPerBrowser: number;
  wrongCodesPerSubject: number;
  /** Per 10 minutes and client, as the wrong codes; beyond the second a source may fail once. */
  failedAuthenticationsPerSource: number;
  failedAuthenticationsPerClient: number;
  /** Per hour. */
  approvalsPerSubject: number;
  /** Per minute. */
  startsPerSource: number;
  /** Starts within one code lifetime, decided or not. */
  pendingPerSource: number;
  pendingPerClient: number;
  pendingTotal: number;
}
