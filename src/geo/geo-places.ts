/**
 * Where addresses are, by files that the administrator has. Who shows it, and what follows from it, is elsewhere; without a
 * file, or with one that cannot be read, nothing is known and everything goes on.
 */

import { stat } from 'node:fs/promises';
import { isPrivateAddress } from '../network/private-address.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type GeoPlace, geoPlaceOf } from './geo-place.ts';
import { type MmdbFile, openMmdb, wordsOf } from './mmdb-file.ts';

export interface GeoPlaces {
  /** `undefined` for a private address, and where nothing is known. Nothing is waited for, and nothing is thrown. */
  placeOf(address: string): GeoPlace | undefined;
  /** Once all files were read, or found to be unreadable. */
  read: Promise<void>;
  /** For the next configuration, which need not read again what did not change. */
  files: readonly KeptFile[];
}

/** Absolute paths. */
export interface GeoSettings {
  file: string;
  /** Who runs networks, where `file` does not say it. */
  asnFile?: string;
}

/** Nothing is known. */
export const NO_PLACES: GeoPlaces = { placeOf: () => undefined, read: Promise.resolve(), files: [] };

interface KeptFile {
  path: string;
  /** Changes when the file does. */
  stand?: string;
  mmdb?: MmdbFile;
  /** A damaged record was met and told of; there are as many as there are addresses. */
  isToldOf?: boolean;
}

/**
 * Begins to read the files beside whatever else is done. Until they are read, what was known before is known; a file that is
 * broken now leaves what it said before in force, as a broken configuration does.
 */
export function openGeoPlaces(
  settings: GeoSettings | undefined,
  log: Pick<Logger, 'event'>,
  before: GeoPlaces = NO_PLACES,
): GeoPlaces {
  if (settings === undefined) return NO_PLACES;
  const paths = [settings.file, ...(settings.asnFile === undefined ? [] : [settings.asnFile])];
  const files = paths.map((path) => before.files.find((known) => known.path === path) ?? { path });
  const reads = files.map((file) => readChanged(file, log));

  function recordIn(file: KeptFile, address: string): unknown {
    try {
      return file.mmdb?.recordOf(address);
    } catch (error) {
      if (file.isToldOf !== true) log.event('geo.refused', { file: file.path, detail: `a record: ${wordsOf(error)}` });
      file.isToldOf = true;
      return undefined;
    }
  }

  return {
    files,
    read: Promise.all(reads).then(() => {}),
    placeOf(address) {
      if (isPrivateAddress(address)) return undefined;
      const [place, owner] = files.map((file) => recordIn(file, address)).map(geoPlaceOf);
      if (place === undefined) return undefined;
      const network = place.network ?? owner?.network;
      const isKnown = [place.countryCode, network].some((fact) => fact !== undefined);
      return isKnown || place.country.size + place.city.size > 0 ? { ...place, network } : undefined;
    },
  };
}

async function readChanged(file: KeptFile, log: Pick<Logger, 'event'>): Promise<void> {
  try {
    const { ino, size, mtimeMs } = await stat(file.path);
    const stand = `${ino} ${size} ${mtimeMs}`;
    if (file.stand === stand) return;
    const mmdb = await openMmdb(file.path);
    Object.assign(file, { stand, mmdb, isToldOf: false });
    log.event('geo.read', { file: file.path, detail: mmdb.summary });
  } catch (error) {
    log.event('geo.refused', { file: file.path, detail: wordsOf(error) });
  }
}
