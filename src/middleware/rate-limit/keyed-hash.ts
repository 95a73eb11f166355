/**
 * HalfSipHash-1-3 with 64 bits of output (Aumasson, Bernstein), over the UTF-16 units of a text: who does not know the key
 * cannot choose texts that fall into one set or share a bucket. The two halves are left in `low` and `high`, so that a
 * look-up allocates nothing.
 */
export interface KeyedHash {
  readonly low: number;
  readonly high: number;
  update(text: string): void;
}

export function createKeyedHash(key0: number, key1: number): KeyedHash {
  return {
    low: 0,
    high: 0,
    update(this: { low: number; high: number }, text: string) {
      const length = text.length;
      let v0 = key0;
      let v1 = key1 ^ 0xee; // 64 bits of output
      let v2 = 0x6c796765 ^ key0;
      let v3 = 0x74656462 ^ key1;
      // Two units a word; the last word holds the odd unit, if there is one, and the length.
      const pairs = length & ~1;
      for (let at = 0; at <= pairs; at += 2) {
        let word = length << 16;
        if (at < pairs) word = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
        else if (pairs < length) word |= text.charCodeAt(at);
        v3 ^= word;
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
        v0 ^= word;
      }
      v2 ^= 0xee;
      for (let round = 0; round < 6; round++) {
        if (round === 3) {
          this.low = v1 ^ v3;
          v1 ^= 0xdd;
        }
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      this.high = v1 ^ v3;
    },
  };
}
