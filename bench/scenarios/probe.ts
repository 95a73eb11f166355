import { Agent, request } from 'node:http';

export interface Probe {
  /** Asks again and again until the answer's `x-version` is `version`; resolves with when it came. */
  until(version: string, withinMs: number): Promise<number>;
  /** Longest that an answer took since the last call, ms. */
  longestMs(): number;
  close(): void;
}

/** One request after the other over one connection: sees a reload as a client does. */
export function openProbe(port: number, path: string, host: string): Probe {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let longest = 0;
  const ask = (): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const begun = performance.now();
      request({ port, host: '127.0.0.1', path, agent, headers: { host } }, (response) => {
        response.resume().once('end', () => {
          longest = Math.max(longest, performance.now() - begun);
          const version = response.headers['x-version'];
          resolve(typeof version === 'string' ? version : undefined);
        });
      })
        .once('error', reject)
        .end();
    });
  return {
    async until(version, withinMs) {
      const deadline = performance.now() + withinMs;
      while ((await ask()) !== version) {
        if (performance.now() > deadline)
          throw new Error(`version ${version} is not served after ${withinMs} ms`);
        // Not a busy loop: the gateway shall have the cores to itself.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return performance.now();
    },
    longestMs() {
      const value = longest;
      longest = 0;
      return value;
    },
    close: () => agent.destroy(),
  };
}
