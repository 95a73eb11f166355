/**
 * Loaded into every thread of the program (`--import`): at SIGUSR2 each thread collects its garbage and says what is
 * left, as one line of JSON in the file that HEAP_PROBE names.
 */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const channel = new BroadcastChannel('heap-probe');
channel.unref();

function count(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function measure(id) {
  // Finalizers run between two collections.
  gc();
  setTimeout(() => {
    gc();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const resources = count(process.getActiveResourcesInfo());
    const line = { id, thread: threadId, heapUsed, external, arrayBuffers, resources };
    appendFileSync(process.env.HEAP_PROBE, `${JSON.stringify(line)}\n`);
  }, 100).unref();
}

channel.onmessage = ({ data }) => measure(data);
if (isMainThread) {
  let id = 0;
  process.on('SIGUSR2', () => {
    channel.postMessage(++id);
    measure(id);
  });
}
