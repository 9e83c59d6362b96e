/*
 * The entry of a worker thread that checks one password against one bcrypt hash, because that would block the
 * event loop. Its `workerData` is `{ hash, password }`. It posts whether they match, and ends.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

const { hash, password } = workerData as { hash: string; password: string };
parentPort!.postMessage(compareSync(password, hash));
