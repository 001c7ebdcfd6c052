import { readFile, stat } from 'node:fs/promises';
import { Reader } from 'mmdb-lib';
import { formatIpAddress, parseIpAddress } from '../network/ip-address.ts';

/** One file in MaxMind's format, in memory. */
export interface MmdbFile {
  /** Its kind and the day it was built, for an administrator. */
  summary: string;
  /**
   * What it has of an address; `undefined` where that is nothing.
   *
   * @throws {Error} where the file is damaged at this place
   */
  recordOf(address: string): unknown;
}

/** The format says that its description is in the last 128 KiB, behind this mark. */
const DESCRIPTION_BYTES = 128 * 1024;
const DESCRIPTION_MARK = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** Between the search tree and the records. */
const SEPARATOR_BYTES = 16;
const FORMAT = 2;
/** References that one record may follow; real ones have some tens. */
const MAX_REFERENCES = 1000;

/**
 * Reads a file, and refuses one that is none or is cut off. The whole of it stays in memory: a look-up is microseconds then,
 * and never waits for a disk.
 *
 * @throws {Error} in words for an administrator
 */
export async function openMmdb(path: string): Promise<MmdbFile> {
  if (!(await stat(path)).isFile()) throw new Error('it is no file');
  return mmdbOf(await readFile(path));
}

/** The same for bytes that are at hand. */
export function mmdbOf(bytes: Buffer): MmdbFile {
  if (!bytes.subarray(-DESCRIPTION_BYTES).includes(DESCRIPTION_MARK)) {
    throw new Error('it is no MMDB file, or its end is missing');
  }
  const references = createReferences();
  const reader = readerOf(bytes, references);
  const { binaryFormatMajorVersion, databaseType, buildEpoch, ipVersion, searchTreeSize } = reader.metadata;
  if (binaryFormatMajorVersion !== FORMAT || (ipVersion !== 4 && ipVersion !== 6)) {
    throw new Error(`it is of another format than MMDB ${FORMAT}`);
  }
  const records = searchTreeSize + SEPARATOR_BYTES;
  if (!(records < bytes.length) || bytes.subarray(searchTreeSize, records).some((byte) => byte !== 0)) {
    throw new Error('its search tree and its records do not fit together: it is damaged or cut off');
  }
  return {
    summary: `${String(databaseType)} of ${dayOf(buildEpoch)}`,
    recordOf(address) {
      const parsed = parseIpAddress(address);
      // The reader would take the first 32 bits of an IPv6 address for an IPv4 one.
      if (parsed === undefined || (parsed.length === 16 && ipVersion === 4)) return undefined;
      references.clear();
      return reader.get(formatIpAddress(parsed)) ?? undefined;
    },
  };
}

function readerOf(bytes: Buffer, cache: ReturnType<typeof createReferences>): Reader<never> {
  try {
    return new Reader<never>(bytes, { cache });
  } catch (error) {
    throw new Error(`it is damaged or cut off (${wordsOf(error)})`);
  }
}

function dayOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown day' : date.toISOString().slice(0, 10);
}

/**
 * What references within one record led to. Each is read once, and they have an end: a damaged record may refer to itself,
 * or to ten others that refer to ten others each.
 */
function createReferences() {
  const read = new Map<string | number, never>();
  return {
    clear: () => read.clear(),
    get: (at: string | number) => read.get(at),
    set(at: string | number, value: never) {
      if (read.size >= MAX_REFERENCES) throw new Error('a record refers to too many others');
      read.set(at, value);
    },
  };
}

/** Why a file, or a record of it, cannot be used. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
