import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { answerText } from './answer.ts';
import type { Handle } from './server.ts';

/** Client programs that are told apart, the first ones to call. */
const maxClients = 100;

/** Prometheus metrics of this process. Labels are of closed sets: no name of a person, a ticket or an address. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const legacyRequests = new Counter({
    name: 'ticketwire_legacy_requests_total',
    help: 'Calls of the legacy endpoint, by the client program and the status of the answer.',
    labelNames: ['client', 'status'],
    registers: [registry],
  });
  const legacyFields = new Counter({
    name: 'ticketwire_legacy_fields_total',
    help: 'Fields that calls of the legacy endpoint set, by the client program.',
    labelNames: ['client', 'field'],
    registers: [registry],
  });
  const clients = new Set<string>();
  // A caller makes up as many names as he likes, and each would be kept for ever.
  const labelOf = (client: string): string => {
    if (clients.size < maxClients) clients.add(client);
    return clients.has(client) ? client : 'other';
  };
  const handle: Handle = async (_req, res) => {
    answerText(res, 200, await registry.metrics(), { 'Content-Type': registry.contentType });
  };
  return {
    handle,
    countLegacy({ client, fields, status }: { client: string; fields: readonly string[]; status: number }) {
      const known = labelOf(client);
      legacyRequests.inc({ client: known, status });
      for (const field of fields) legacyFields.inc({ client: known, field });
    },
  };
}
