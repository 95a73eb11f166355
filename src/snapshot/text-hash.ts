/** FNV-1a, 32 bits, unsigned. For tables whose keys are the operator's: a poor spread costs time on a reload, nothing per request. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
