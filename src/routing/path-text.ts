/**
 * A normalised path as it is compared: escapes of the reserved characters that a segment may also hold raw
 * (RFC 3986 §3.3) decoded, so that `/a%40b` cannot slip past a route for `/a@b`, which most upstreams take it for. What is
 * forwarded keeps them: some upstreams tell `%2B` from `+`.
 */
export function pathText(path: string): string {
  return path.includes('%') ? path.replace(RESERVED, decode) : path;
}

/** `! $ & ' ( ) * + , : ; = @` */
const RESERVED = /%(?:2[1467-9A-C]|3[ABD]|40)/g;

function decode(escape: string): string {
  return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
}
