import type { Command, LooseCommand } from './command.ts';

/** A list of commands, with and without a database. */
export type Commands = readonly (Command | LooseCommand)[];

/** The commands by their first word, loaded on demand: one without a database loads no driver. */
const groups: ReadonlyMap<string, () => Promise<Commands>> = new Map(
  Object.entries({
    user: () => import('./commands/users.ts').then(({ userCommands }) => userCommands),
    token: () => import('./commands/tokens.ts').then(({ tokenCommands }) => tokenCommands),
    mailbox: async () => [
      ...(await import('./commands/mailboxes.ts')).mailboxCommands,
      (await import('./commands/edit-mailbox.ts')).editMailboxCommand,
      (await import('./commands/test-mailbox.ts')).testMailboxCommand,
    ],
    ticket: async () => [
      ...(await import('./commands/tickets.ts')).ticketCommands,
      ...(await import('./gateway/ticket-status.ts')).statusCommands,
    ],
    message: async () => [
      ...(await import('./gateway/message-commands.ts')).messageCommands,
      (await import('./gateway/redact-commands.ts')).redactMessageCommand,
    ],
    attachment: async () => [(await import('./gateway/redact-commands.ts')).redactAttachmentCommand],
    delivery: () => import('./gateway/delivery-commands.ts').then(({ deliveryCommands }) => deliveryCommands),
    events: () => import('./gateway/event-commands.ts').then(({ eventCommands }) => eventCommands),
    webhook: () => import('./commands/webhooks.ts').then(({ webhookCommands }) => webhookCommands),
    outbox: () => import('./commands/outbox.ts').then(({ outboxCommands }) => outboxCommands),
    audit: () => import('./commands/audit.ts').then(({ auditCommands }) => auditCommands),
    blobs: () => import('./commands/blobs.ts').then(({ blobCommands }) => blobCommands),
    import: () => import('./commands/import.ts').then(({ importCommands }) => importCommands),
    legacy: () => import('./commands/legacy.ts').then(({ legacyCommands }) => legacyCommands),
    doctor: () => import('./commands/doctor.ts').then(({ doctorCommands }) => doctorCommands),
  }),
);

/**
 * Loads the commands whose first word this is (`user`, `ticket` …). Without such commands, or for undefined,
 * it loads all. The command `completion` is not among them.
 */
export async function loadCommands(firstWord: string | undefined): Promise<Commands> {
  const load = groups.get(firstWord ?? '');
  if (load !== undefined) return load();
  return (await Promise.all([...groups.values()].map((loadGroup) => loadGroup()))).flat();
}
