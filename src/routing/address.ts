/**
 * An IP address as four 32-bit words; IPv4 is its IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), so that the two spellings of one
 * client are one address.
 */
export type Address = readonly [number, number, number, number];

/** Undefined: not an address in its usual text form (RFC 4291 §2.2, dotted decimal without leading zeros; no zone). */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(':')) return parseIPv6(text);
  const value = parseIPv4(text, 0);
  return value < 0 ? undefined : [0, 0, 0xffff, value];
}

/** Canonical text: dotted decimal, or RFC 5952. */
export function addressText(address: Address): string {
  if (isIPv4(address)) {
    const v4 = address[3];
    return `${v4 >>> 24}.${(v4 >>> 16) & 255}.${(v4 >>> 8) & 255}.${v4 & 255}`;
  }
  const groups = address.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/**
 * The text by which clients are told apart: an IPv4 address, or the /64 of an IPv6 address, which one client holds whole
 * (`2001:db8:1:2::/64`). What is no address stands for itself.
 */
export function addressKey(text: string): string {
  if (!text.includes(':')) return text;
  const address = parseIPv6(text);
  if (address === undefined) return text;
  return isIPv4(address) ? addressText(address) : `${addressText([address[0], address[1], 0, 0])}/64`;
}

/** Negative if `a` comes first. */
export function compareAddresses(a: Address, b: Address): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

function isIPv4(address: Address): boolean {
  return address[2] === 0xffff && address[1] === 0 && address[0] === 0;
}

/** The value of the dotted decimal that begins at `start` and ends the text; -1: none. */
function parseIPv4(text: string, start: number): number {
  if (text.length - start > 15) return -1;
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (octet < 0 || ++dots > 3) return -1;
      value = value * 256 + octet;
      octet = -1;
    } else if (code >= 0x30 && code <= 0x39) {
      // A leading zero means octal to some readers.
      if (octet === 0) return -1;
      octet = (octet < 0 ? 0 : octet * 10) + code - 0x30;
      if (octet > 255) return -1;
    } else return -1;
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1;
}

function parseIPv6(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  const groups: number[] = [];
  let gap = -1;
  let i = 0;
  if (text.startsWith('::')) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    if (groups.length === 8) return undefined;
    const colon = text.indexOf(':', i);
    const end = colon < 0 ? text.length : colon;
    if (colon < 0 && text.includes('.', i)) {
      const v4 = parseIPv4(text, i);
      if (v4 < 0 || groups.length > 6) return undefined;
      groups.push(v4 >>> 16, v4 & 0xffff);
      break;
    }
    const group = parseGroup(text, i, end);
    if (group < 0) return undefined;
    groups.push(group);
    i = end + 1;
    if (colon < 0) break;
    if (text.charCodeAt(i) === 0x3a) {
      if (gap >= 0) return undefined;
      gap = groups.length;
      i++;
    } else if (i === text.length) return undefined;
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return undefined;
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(8 - groups.length).fill(0));
  const word = (k: number): number => (groups[k] as number) * 0x10000 + (groups[k + 1] as number);
  return [word(0), word(2), word(4), word(6)];
}

function parseGroup(text: string, start: number, end: number): number {
  if (end === start || end - start > 4) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const letter = code | 0x20;
    if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) value = value * 16 + letter - 0x57;
    else return -1;
  }
  return value;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
