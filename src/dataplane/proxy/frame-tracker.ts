/** Opcode of a Close frame (RFC 6455 §5.5.1). */
const closeOpcode = 8;

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) by their headers alone: it keeps no byte and cares
 * for no payload, so that it can watch all that passes.
 */
export class FrameTracker {
  /** A whole Close frame has passed: nothing may follow it. */
  closed = false;
  /** Header bytes of the frame under way; 0: none of it has come. */
  private headerSeen = 0;
  /** Bytes of the extended length still to come. */
  private lengthLeft = 0;
  /** Bytes behind the header still to come: mask and payload. */
  private left = 0;
  private length = 0;
  private opcode = 0;
  private masked = false;

  /** Between two frames: what is sent here breaks none. */
  get atBoundary(): boolean {
    return this.headerSeen === 0;
  }

  /** Takes note of a whole chunk. */
  pass(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at = this.toFrameEnd(chunk, at);
  }

  /** Takes note of `chunk` from `at` to the end of the frame that it is in or that begins there; says where that is. */
  toFrameEnd(chunk: Uint8Array, at: number): number {
    const size = chunk.length;
    while (this.headerSeen < 2 || this.lengthLeft > 0) {
      if (at === size) return size;
      this.header(chunk[at++] as number);
    }
    const taken = Math.min(this.left, size - at);
    this.left -= taken;
    if (this.left === 0) {
      this.headerSeen = 0;
      if (this.opcode === closeOpcode) this.closed = true;
    }
    return at + taken;
  }

  private header(byte: number): void {
    switch (this.headerSeen++) {
      case 0:
        this.opcode = byte & 0x0f;
        this.length = 0;
        return;
      case 1:
        this.masked = (byte & 0x80) !== 0;
        this.length = byte & 0x7f;
        if (this.length > 125) {
          this.lengthLeft = this.length === 126 ? 2 : 8;
          this.length = 0;
          return;
        }
        break;
      default:
        // A length beyond 2^53 is not exact any more, and will not be reached.
        this.length = this.length * 256 + byte;
        if (--this.lengthLeft > 0) return;
    }
    this.left = this.length + (this.masked ? 4 : 0);
  }
}
