/**
 * The bytes of a shared secret as users keep it: one newline at the end belongs to the editor, not to the secret. Throws,
 * without the content in its message.
 */
export function decodeSecret(content: Uint8Array, encoding: 'Utf8' | 'Base64Url'): Uint8Array {
  const bytes = content.subarray(0, content.length - newlineBytes(content));
  if (bytes.length === 0) throw new Error('is empty');
  if (encoding === 'Utf8') return new Uint8Array(bytes);
  const text = Buffer.from(bytes).toString('latin1');
  // Decoders skip what they do not know: a typing error would silently be another secret.
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
    throw new Error('is not base64url');
  }
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

function newlineBytes(content: Uint8Array): number {
  if (content.at(-1) !== 0x0a) return 0;
  return content.at(-2) === 0x0d ? 2 : 1;
}
