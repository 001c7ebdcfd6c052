import { parseCidr } from '../../src/network/cidr.ts';

/** What a record may hold here. */
export type MmdbValue = string | number | boolean | readonly MmdbValue[] | { readonly [name: string]: MmdbValue };

export interface MmdbOptions {
  type?: string;
  ipVersion?: 4 | 6;
  recordSize?: 24 | 28 | 32;
}

/** Ends of the search tree: a network's record by its number, or nothing. */
type Node = [Branch, Branch];
type Branch = Node | number | undefined;

/** A file in MaxMind's format, version 2.0, with these records by network. A narrower network comes after a wider one. */
export function mmdb(networks: Readonly<Record<string, MmdbValue>>, options: MmdbOptions = {}): Buffer {
  const { type = 'Test-City', ipVersion = 6, recordSize = 24 } = options;
  const root: Node = [undefined, undefined];
  for (const [index, network] of Object.keys(networks).entries()) insert(root, bitsOf(network, ipVersion), index);
  const data = encodeAll(Object.values(networks));
  const nodes = nodesOf(root);
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const written = (branch: Branch): number => {
    if (branch === undefined) return nodes.length;
    return typeof branch === 'number' ? nodes.length + 16 + (data.offsets[branch] ?? 0) : (numbers.get(branch) ?? 0);
  };
  const tree = Buffer.concat(nodes.map(([left, right]) => encodeNode(written(left), written(right), recordSize)));
  const description = {
    ...{ node_count: nodes.length, record_size: recordSize, ip_version: ipVersion, database_type: type },
    ...{ languages: ['en'], binary_format_major_version: 2, binary_format_minor_version: 0 },
    ...{ build_epoch: Date.UTC(2026, 10, 17) / 1000, description: { en: 'made by a test' } },
  };
  const mark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([tree, Buffer.alloc(16), data.bytes, mark, encode(description)]);
}

/** An IPv4 network is where IPv6 has `::/96`, in a file for both. */
function bitsOf(network: string, ipVersion: 4 | 6): number[] {
  const cidr = parseCidr(network);
  if (cidr === undefined) throw new Error(`${network} is no network`);
  const before = ipVersion === 6 && cidr.address.length === 4 ? 96 : 0;
  const bits = [...cidr.address].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((place) => (byte >> place) & 1));
  return [...new Array<number>(before).fill(0), ...bits.slice(0, cidr.bits)];
}

function insert(root: Node, bits: readonly number[], record: number): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const branch = node[bit as 0 | 1];
    // A wider network's record goes on beside the narrower one.
    const next: Node = Array.isArray(branch) ? branch : [branch, branch];
    node[bit as 0 | 1] = next;
    node = next;
  }
  node[(bits.at(-1) ?? 0) as 0 | 1] = record;
}

function nodesOf(root: Node): Node[] {
  return [root, ...root.filter((branch): branch is Node => Array.isArray(branch)).flatMap(nodesOf)];
}

function encodeNode(left: number, right: number, recordSize: 24 | 28 | 32): Buffer {
  const node = Buffer.alloc(recordSize / 4);
  if (recordSize === 28) {
    node.writeUIntBE(left & 0xffffff, 0, 3);
    node[3] = ((left >> 24) << 4) | (right >> 24);
    node.writeUIntBE(right & 0xffffff, 4, 3);
  } else {
    node.writeUIntBE(left, 0, recordSize / 8);
    node.writeUIntBE(right, recordSize / 8, recordSize / 8);
  }
  return node;
}

/** A record that was there before is referred to, as real files do. */
function encodeAll(records: readonly MmdbValue[]): { bytes: Buffer; offsets: number[] } {
  const known = new Map<string, number>();
  const offsets: number[] = [];
  let bytes = Buffer.alloc(0);
  for (const record of records) {
    const text = JSON.stringify(record);
    const before = known.get(text);
    offsets.push(bytes.length);
    known.set(text, before ?? bytes.length);
    bytes = Buffer.concat([bytes, before === undefined ? encode(record) : reference(before)]);
  }
  return { bytes, offsets };
}

/** To a place among the records: 32 bits of it. */
export function reference(offset: number): Buffer {
  const bytes = Buffer.from([0b0011_1000, 0, 0, 0, 0]);
  bytes.writeUInt32BE(offset, 1);
  return bytes;
}

const [TEXT, UINT32, MAP, ARRAY, BOOLEAN] = [2, 6, 7, 11, 14];

export function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(TEXT, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return control(BOOLEAN, Number(value));
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(UINT32, 4), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(ARRAY, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(MAP, entries.length), ...entries.flat().map((one) => encode(one as MmdbValue))]);
}

/** Type and size; types above 7 stand in a byte of their own. */
export function control(type: number, size: number): Buffer {
  const [first, more] =
    size < 29 ? [size, []] : size < 285 ? [29, [size - 29]] : [30, [(size - 285) >> 8, (size - 285) & 255]];
  return Buffer.from(type > 7 ? [first, type - 7, ...more] : [(type << 5) | first, ...more]);
}
