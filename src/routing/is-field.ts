/**
 * Is `name` the field called `lower` (in lower case)? For names of its length. Most are told apart by their first letter:
 * making every name lower-case first costs a call and a string each.
 */
export function isField(name: string, lower: string): boolean {
  return (
    name === lower ||
    ((name.charCodeAt(0) | 0x20) === (lower.charCodeAt(0) | 0x20) && name.toLowerCase() === lower)
  );
}
