/**
 * The worker's steps with one mail, in order. `prepared`: its source is made; `accepted-354`: the server
 * waits for the body; `body-open`: the fence is committed; `body-written`: the last byte is passed on;
 * `answered`: the outcome is known; `settled`: it is committed. Tests stop or kill the worker at each.
 */
export const workerSteps = [
  'claimed',
  'prepared',
  'connecting',
  'accepted-354',
  'body-open',
  'body-written',
  'answered',
  'settled',
] as const;
/** A step of the worker. */
export type WorkerStep = (typeof workerSteps)[number];
