import { parentPort, workerData } from 'node:worker_threads';
import type { ConfigThreadData, MainToConfig } from '../snapshot/messages.ts';
import { startController } from './controller.ts';
import { giveWayToTraffic } from './give-way.ts';

/** Entry of the config thread: it has nothing else to do, so it may take its time, once there is something served. */
const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const controller = startController(workerData as ConfigThreadData, (message) => port.postMessage(message));
port.on('message', (message: MainToConfig) => {
  if (message.type === 'Published' && message.failures.length === 0) giveWayToTraffic();
  if (message.type !== 'Stop') controller.receive(message);
  // Ends this thread alone. Not by itself: a closed watch may keep a timer for a second.
  else void controller.close().finally(() => process.exit());
});
