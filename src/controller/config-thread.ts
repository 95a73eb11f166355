import { parentPort, workerData } from 'node:worker_threads';
import type { ConfigThreadData, MainToConfig } from '../snapshot/messages.ts';
import { startController } from './controller.ts';

/** Entry of the config thread: it has nothing else to do, so it may take its time. */
const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const controller = startController(workerData as ConfigThreadData, (message) => port.postMessage(message));
port.on('message', (message: MainToConfig) => {
  controller.receive(message);
  // Without a listener the port keeps the thread alive no longer.
  if (message.type === 'Stop') port.close();
});
