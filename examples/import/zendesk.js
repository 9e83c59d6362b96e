// node zendesk.js users.jsonl tickets.jsonl [support@example.com] > desk.jsonl
// Maps Zendesk's JSON export (Admin Center, Account, Reports, Export) or the answers of its API, one user or
// ticket a line, each ticket with its `comments`.
import { createDesk, instant, printDesk, readLines } from './desk.js';

const [usersFile, ticketsFile, mailbox] = process.argv.slice(2);
if (!ticketsFile) throw new Error('node zendesk.js users.jsonl tickets.jsonl [support@example.com]');
const desk = createDesk();

for await (const user of readLines(usersFile)) {
  const { id, name, email, role, suspended, active } = user;
  if (role === undefined) throw new Error(`${usersFile}: no user: ${JSON.stringify(user).slice(0, 200)}`);
  const createdAt = instant(user.created_at);
  desk.addUser(id, {
    login: email || `zendesk-${id}`,
    ...{ name, email, createdAt },
    role: ['agent', 'admin'].includes(role) ? 'OPERATOR' : 'REQUESTER',
    disabledAt: suspended || active === false ? createdAt : undefined,
  });
}

for await (const ticket of readLines(ticketsFile)) {
  if (ticket.requester_id === undefined)
    throw new Error(`${ticketsFile}: no ticket: ${JSON.stringify(ticket).slice(0, 200)}`);
  if (ticket.status === 'deleted') continue;
  desk.addTicket({
    id: ticket.id,
    reference: `ZD-${String(ticket.id).padStart(6, '0')}`,
    subject: ticket.subject || ticket.raw_subject || ticket.description || '(no subject)',
    status: ['solved', 'closed'].includes(ticket.status) ? 'CLOSED' : 'OPEN',
    requester: ticket.requester_id,
    createdAt: instant(ticket.created_at),
  });
  for (const comment of ticket.comments ?? []) {
    const html = comment.html_body;
    desk.addMessage({
      ticketId: ticket.id,
      // Zendesk's numbers are larger than ours may be. In the order of time they are numbered anew.
      order: comment.id,
      // What Zendesk's triggers say has the author -1.
      author: comment.author_id === -1 ? 'zendesk' : comment.author_id,
      authorName: comment.author_id === -1 ? 'Zendesk' : undefined,
      body: html || comment.plain_body || comment.body || '',
      format: html ? 'HTML' : 'TEXT',
      isPrivate: comment.public === false,
      files: (comment.attachments ?? []).map(({ file_name }) => file_name),
      createdAt: instant(comment.created_at),
    });
  }
}
await printDesk(desk, { mailbox });
