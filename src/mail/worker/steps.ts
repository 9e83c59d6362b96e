/** The worker's steps with one mail, in order. */
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
