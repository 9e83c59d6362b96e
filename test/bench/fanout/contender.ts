/** How many readers and events are measured. */
export interface Size {
  readonly count: number;
  readonly tickets: number;
  /** How many of each ticket. */
  readonly events: number;
}

/**
 * Who adds the messages: callers of the gateway, or the same group commit in another process. To the gateway,
 * a caller's message costs more than to deliver it to ten readers.
 */
export type Writer = 'callers' | 'another process';

/** Several tickets are measured with each writer. */
export const writersFor = ({ tickets }: Size): readonly Writer[] =>
  tickets === 1 ? ['callers'] : ['callers', 'another process'];

/** Events of each of several tickets, at most: each event of a thousand tickets is a thousand commits. */
const eventsOfSeveral = 3;

/** Reads `2000`, or `10000/1000`: 10,000 readers on 1,000 tickets. @param events of one ticket */
export function sizeOf(text: string, events: number): Size {
  const [count = 0, tickets = 1] = text.split('/').map(Number);
  return { count, tickets, events: tickets === 1 ? events : Math.min(events, eventsOfSeveral) };
}

/** What delivers events to its readers. */
export interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly requests: (size: Size) => Promise<string[]>;
  readonly deliver: (size: Size, writer: Writer) => Promise<void>;
}
