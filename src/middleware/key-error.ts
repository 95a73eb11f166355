/** Keys that are there by their reference but cannot be had, or used, at the moment; the message names the place. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}
