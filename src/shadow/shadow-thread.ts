import { parentPort, workerData } from 'node:worker_threads';
import type { MainToShadow, ShadowThreadData } from '../snapshot/shadow-messages.ts';
import { startShadow } from './shadow.ts';

/** Entry of the shadow thread: traffic knows nothing of it, so it may take its time. */
const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const shadow = startShadow(workerData as ShadowThreadData, (message) => port.postMessage(message));
port.on('message', (message: MainToShadow) => shadow.receive(message));
