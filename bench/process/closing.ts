/** What was opened is closed in reverse order, also when the bench fails or is interrupted. */
export interface Closing {
  add(close: () => unknown): void;
  /** Closes everything that is open; may be called again. */
  closeAll(): Promise<void>;
}

export function createClosing(): Closing {
  const closes: (() => unknown)[] = [];
  return {
    add: (close) => void closes.push(close),
    async closeAll() {
      for (let close = closes.pop(); close !== undefined; close = closes.pop()) await close();
    },
  };
}
