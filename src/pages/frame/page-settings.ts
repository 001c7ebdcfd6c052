export interface PageSettings {
  title: string;
  /** A data: URI or an address on `public_url`'s own origin; nothing is loaded from elsewhere. */
  logo?: string;
  support?: string;
  footer?: string;
  languages: readonly string[];
  theme: { accent?: string; background?: string };
  /** A folder of templates that win over ours. */
  views?: string;
}
